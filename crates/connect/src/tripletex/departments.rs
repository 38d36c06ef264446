//! Who manages which department: the only hierarchy at this vendor.

use std::collections::HashMap;

use serde_json::Value;

use super::api::Api;
use crate::error::ConnectError;

const SELECTION: &str = "id,departmentManager(id)";

/// Managers by department, ids alone.
#[derive(Default)]
pub(super) struct Managers(HashMap<i64, i64>);

impl Managers {
    /// Reads all departments.
    pub(super) async fn read(api: &Api, page_size: u64) -> Result<Self, ConnectError> {
        let query = [("fields", SELECTION.to_owned())];
        let rows = api.list("/department", &query, page_size).await?;
        Ok(Self(rows.iter().filter_map(manager).collect()))
    }

    /// The manager of somebody in a department; nobody is their own.
    pub(super) fn of(&self, employee: i64, department: i64) -> Option<i64> {
        let manager = self.0.get(&department).copied();
        manager.filter(|manager| *manager != employee)
    }
}

fn manager(row: &Value) -> Option<(i64, i64)> {
    let department = row.get("id")?.as_i64()?;
    let manager = row.pointer("/departmentManager/id")?.as_i64()?;
    // 0 stands for nobody in several of the vendor's references.
    (manager != 0).then_some((department, manager))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nobody_manages_themselves_and_a_department_without_manager_gives_none() {
        let rows = [
            json!({"id": 1, "departmentManager": {"id": 10}}),
            json!({"id": 2, "departmentManager": null}),
            json!({"id": 3}),
        ];
        let managers = Managers(rows.iter().filter_map(manager).collect());
        assert_eq!(managers.of(11, 1), Some(10));
        assert_eq!(managers.of(10, 1), None);
        assert_eq!(managers.of(11, 2), None);
        assert_eq!(managers.of(11, 3), None);
    }
}
