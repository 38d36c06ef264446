//! Measures the pipeline. `benches/run` prints the whole table; the commands
//! here measure one thing each, in a process of its own, so that one
//! measurement's memory is not another's.

mod connector;
mod database;
mod limit;
mod machine;
mod people;
mod pipeline;
mod planner;
mod pull;
mod steps;
mod stopwatch;

use clap::{Parser, Subcommand};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A first sync and later ones; prints one JSON object a sync.
    Sync {
        /// People in the source.
        #[arg(long, default_value_t = 100_000)]
        people: u64,
        /// A PostgreSQL server; without it SQLite in a folder of its own.
        #[arg(long)]
        server: Option<String>,
        /// Share of changed records of the third sync, in percent; without it
        /// there is none.
        #[arg(long)]
        changed: Option<u64>,
        /// Only the first sync.
        #[arg(long)]
        only_first: bool,
    },
    /// The pure planner on one core; prints one JSON object.
    Plan {
        /// People in the source.
        #[arg(long, default_value_t = 1_000_000)]
        people: u64,
    },
    /// Everybody pulled through a vendor's simulator, beside a bare loop; prints
    /// one JSON object.
    Pull {
        /// Whose simulator.
        vendor: muster_sandbox::Vendor,
        /// People in the source.
        #[arg(long, default_value_t = 100_000)]
        people: u32,
        /// A setting of the connection, such as `format=xml`.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pull::setting)]
        settings: Vec<(String, String)>,
    },
    /// Rows a second that a database takes at all.
    Limit {
        /// A PostgreSQL server; without it SQLite.
        #[arg(long)]
        server: Option<String>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let steps = steps::Steps::default();
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::filter::Targets::new()
                .with_target("muster_engine", tracing::Level::DEBUG),
        )
        .with(steps.clone())
        .init();
    match arguments.command {
        Command::Sync {
            people,
            server,
            changed,
            only_first,
        } => {
            let mut later = Vec::new();
            if !only_first {
                later.push(("no change", 0));
            }
            if let Some(percent) = changed.filter(|percent| *percent > 0) {
                later.push(("changes", 100 / percent));
            }
            let plan = pipeline::Plan {
                people,
                server: server.as_deref(),
                later: &later,
            };
            pipeline::run(&plan, &steps, |measured| {
                print(&serde_json::to_string(measured)?);
                Ok(())
            })
            .await?;
        }
        Command::Plan { people } => print(&serde_json::to_string(&planner::run(people)?)?),
        Command::Pull {
            vendor,
            people,
            settings,
        } => {
            let pulled = pull::run(vendor, people, &settings).await?;
            print(&serde_json::to_string(&pulled)?);
        }
        Command::Limit { server } => {
            let limit = limit::run(server.as_deref()).await?;
            let server = match server.as_deref() {
                Some(server) => Some(limit::server(server).await?),
                None => None,
            };
            let printed = serde_json::json!({
                "rows_a_second": limit.rows, "bytes_a_second": limit.bytes, "server": server
            });
            print(&printed.to_string());
        }
    }
    Ok(())
}

#[allow(clippy::print_stdout)] // the one place
fn print(line: &str) {
    println!("{line}");
}
