//! `muster user create`: lets a human into an organisation.

use crate::args::{DatabaseArguments, User, UserCommand};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: User, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let UserCommand::Create {
        organisation,
        email,
        role,
    } = command.command;
    let engine = database::open(database).await?;
    let organisation = engine.organisation(organisation.name.as_deref()).await?;
    let let_in = engine.let_in(&organisation, &email, &role).await?;
    let (link, until) = let_in
        .link
        .map(|(link, until)| (link.expose().to_owned(), until))
        .unzip();
    output::json(&serde_json::json!({
        "account": let_in.access.account,
        "email": let_in.access.address,
        "organisation": organisation.name,
        "role": let_in.access.role,
        "set_password": link,
        "set_password_until": until,
    }))?;
    output::say("the secret to set a password is printed this once, and good for one use");
    Ok(Exit::Done)
}
