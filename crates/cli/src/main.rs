//! The binary `muster`: parses, calls the engine, renders. Data goes to
//! standard output, words and progress to standard error; exit codes are
//! 0 done, 1 failed, 2 wrong usage, 3 done but a person is needed.

mod args;
mod commands;
mod database;
mod decisions_file;
mod exit;
mod key_file;
mod machine;
mod output;
mod pairs;
mod panic_words;
mod plan_file;
mod plan_table;
mod usage_words;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    panic_words::install();
    // Errors of usage end here, with exit code 2.
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage_words::report(&error),
    };
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MUSTER_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into()),
    };
    match runtime.block_on(commands::run(arguments)) {
        Ok(code) => code.into(),
        Err(error) => exit::report(&error),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        crate::args::Arguments::command().debug_assert();
    }
}
