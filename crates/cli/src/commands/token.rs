//! `muster token create`: lets a program into an organisation.

use crate::args::{DatabaseArguments, Token, TokenCommand};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: Token, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let TokenCommand::Create {
        organisation,
        scope,
        connection,
        expires,
    } = command.command;
    let engine = database::open(database).await?;
    let organisation = engine.organisation(organisation.name.as_deref()).await?;
    let made = engine
        .make_token(&organisation, &scope, connection.as_deref(), expires)
        .await?;
    output::json(&serde_json::json!({
        "id": made.id,
        "organisation": organisation.name,
        "scopes": made.scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>(),
        "token": made.secret.expose(),
    }))?;
    output::say("the token is printed this once; whoever has it may do what its scopes say");
    Ok(Exit::Done)
}
