//! Who answers: the company behind the credentials.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::compiled::{CompanyId, CompiledCompany, CompiledRights};
use super::not_made;
use super::reading::id;
use super::vendor::{Variables, Vendor};
use crate::connector::Account;
use crate::error::{ConnectError, ErrorKind};
use crate::expression::Escape;

/// Asks who it is.
pub(super) async fn account(
    vendor: &Vendor,
    company: &CompiledCompany,
) -> Result<Account, ConnectError> {
    let answer = match &company.request {
        Some(request) => Some(vendor.call(request, &Variables::default(), None).await?),
        None => None,
    };
    let tree = answer.as_ref().map_or(&Json::Null, |answer| &answer.json);
    let found = match &company.id {
        CompanyId::Answer(pointers) => {
            (pointers.iter()).find_map(|pointer| id(pointer.find(tree)?))
        }
        CompanyId::Template(template) => {
            let general = vendor.general(None);
            template
                .render(&general.scope(), Escape::None)
                .map_err(not_made)?
        }
    };
    let found = match (found.filter(|id| !id.trim().is_empty()), &company.otherwise) {
        (None, Some(otherwise)) => otherwise
            .render(&vendor.general(None).scope(), Escape::None)
            .map_err(not_made)?,
        (found, _) => found,
    };
    let Some(id) = found.filter(|id| !id.trim().is_empty()) else {
        let error = match &answer {
            Some(answer) => vendor
                .refusals
                .unexpected("the answer does not name the company", answer),
            None => ConnectError::new(
                ErrorKind::Settings,
                "settings.missing",
                "the setting that names the company is missing",
                "enter the connector's settings; `muster connectors show` lists them",
            ),
        };
        return Err(error);
    };
    let name = company
        .name
        .as_ref()
        .and_then(|pointer| pointer.find(tree)?.as_str());
    let own_list = match &company.rights_list {
        Some(list) => rights_of(vendor, list, tree).await?,
        None => None,
    };
    let rights = company.rights.as_ref().and_then(|pointer| {
        let list = pointer.find(tree)?.as_array()?;
        let rights: BTreeSet<String> = list.iter().filter_map(super::reading::id).collect();
        Some(rights)
    });
    Ok(Account {
        id,
        name: name
            .filter(|name| !name.trim().is_empty())
            .map(str::to_owned),
        rights: rights.or(own_list),
    })
}

/// The rights as a list of their own; unknown to credentials that may not see them.
async fn rights_of(
    vendor: &Vendor,
    rights: &CompiledRights,
    company: &Json,
) -> Result<Option<BTreeSet<String>>, ConnectError> {
    let mut found = Some(BTreeSet::new());
    let variables = Variables::default().with("company", company.clone());
    let read = vendor
        .all(&rights.list, &variables, None, |row| {
            match (rights.right.find(&row).and_then(id), &mut found) {
                (Some(right), Some(known)) => {
                    known.insert(right);
                }
                // A row that names none: what the others name is not all.
                _ => found = None,
            }
        })
        .await;
    match read {
        Ok(()) => Ok(found),
        Err(error) if error.kind() == ErrorKind::Rights => Ok(None),
        Err(error) => Err(error),
    }
}
