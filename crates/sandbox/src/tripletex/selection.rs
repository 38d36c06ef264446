//! The `fields` grammar: what an answer shows of each object.
//!
//! A comma list of names; `*` stands for all own fields; a name may be followed
//! by the fields wanted of the object behind it, in parentheses. Without them a
//! reference is shown as its id and address only, and `*` does not expand it.

use super::resource::{Field, Kind, Resource};

/// How deep sub-selections may go: deeper than any real question, shallow
/// enough for the stack (references run in circles, so the schema sets no end).
const MAX_DEPTH: usize = 24;

/// Which fields of a resource to show, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    pub(super) fields: Vec<Selected>,
}

/// One field to show.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    /// Where the field stands in its resource.
    pub(super) index: usize,
    pub(super) field: &'static Field,
    /// What to show of the object behind it; none means the vendor's default.
    pub(super) nested: Option<Selection>,
}

impl PartialEq for Selected {
    fn eq(&self, other: &Self) -> bool {
        self.field.name == other.field.name && self.nested == other.nested
    }
}

/// A text that is no selection of this resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IllegalSelection {
    /// No such field.
    Field(String),
    /// Parentheses that do not match, an empty name, too deep.
    Form,
}

impl Selection {
    /// All own fields, as `*` and as an absent `fields` show them.
    pub(super) fn all(resource: Resource) -> Self {
        let mut selection = Self { fields: Vec::new() };
        selection.add_all(resource);
        selection
    }

    /// Reads the text of a `fields` parameter; empty text is `*`.
    pub(super) fn parse(resource: Resource, text: &str) -> Result<Self, IllegalSelection> {
        if text.trim().is_empty() {
            return Ok(Self::all(resource));
        }
        let mut rest = text;
        let selection = parse_list(resource, &mut rest, 0)?;
        if rest.is_empty() {
            Ok(selection)
        } else {
            Err(IllegalSelection::Form)
        }
    }

    fn add_all(&mut self, resource: Resource) {
        for (index, field) in resource.fields().iter().enumerate() {
            // Changes are shown only when they are asked for by name.
            if field.kind != Kind::Changes {
                self.add(Selected {
                    index,
                    field,
                    nested: None,
                });
            }
        }
    }

    /// Adds a field; a field named twice keeps its place and the wider wish.
    fn add(&mut self, selected: Selected) {
        match self
            .fields
            .iter_mut()
            .find(|present| present.index == selected.index)
        {
            None => self.fields.push(selected),
            Some(present) => {
                if selected.nested.is_some() {
                    present.nested = selected.nested;
                }
            }
        }
    }
}

/// Reads names up to the end or an unmatched closing parenthesis.
fn parse_list(
    resource: Resource,
    rest: &mut &str,
    depth: usize,
) -> Result<Selection, IllegalSelection> {
    if depth > MAX_DEPTH {
        return Err(IllegalSelection::Form);
    }
    let mut selection = Selection { fields: Vec::new() };
    loop {
        let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let name = name.trim();
        *rest = behind;
        if name.is_empty() {
            return Err(IllegalSelection::Form);
        }
        let nested = behind.strip_prefix('(');
        if name == "*" {
            if nested.is_some() {
                return Err(IllegalSelection::Form);
            }
            selection.add_all(resource);
        } else {
            let (index, field) = resource
                .field(name)
                .ok_or_else(|| IllegalSelection::Field(name.to_owned()))?;
            let nested = match nested {
                None => None,
                Some(inner) => {
                    let target = field
                        .kind
                        .target()
                        .ok_or_else(|| IllegalSelection::Field(name.to_owned()))?;
                    *rest = inner;
                    let nested = parse_list(target, rest, depth + 1)?;
                    *rest = rest.strip_prefix(')').ok_or(IllegalSelection::Form)?;
                    *rest = rest.trim_start();
                    Some(nested)
                }
            };
            selection.add(Selected {
                index,
                field,
                nested,
            });
        }
        match rest.strip_prefix(',') {
            Some(behind) => *rest = behind,
            None => return Ok(selection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selection: &Selection) -> Vec<&str> {
        selection
            .fields
            .iter()
            .map(|selected| selected.field.name)
            .collect()
    }

    fn parse(text: &str) -> Result<Selection, IllegalSelection> {
        Selection::parse(Resource::Employee, text)
    }

    #[test]
    fn no_text_and_a_star_show_all_own_fields_but_changes() {
        let all = parse("*").unwrap();
        assert_eq!(parse("").unwrap(), all);
        assert!(names(&all).contains(&"department"));
        assert!(!names(&all).contains(&"changes"));
        assert!(all.fields.iter().all(|selected| selected.nested.is_none()));
        assert!(names(&parse("*,changes").unwrap()).contains(&"changes"));
    }

    #[test]
    fn a_sub_selection_reaches_through_several_objects() {
        let selection =
            parse("id, firstName , employments(*,employmentDetails(date,occupationCode(nameNO)))")
                .unwrap();
        assert_eq!(names(&selection), ["id", "firstName", "employments"]);
        let employments = selection.fields[2].nested.as_ref().unwrap();
        let details = employments
            .fields
            .iter()
            .find(|selected| selected.field.name == "employmentDetails")
            .unwrap();
        assert_eq!(
            names(details.nested.as_ref().unwrap()),
            ["date", "occupationCode"]
        );
    }

    #[test]
    fn a_star_leaves_a_named_sub_selection_as_it_was_wished() {
        for text in ["*,department(name)", "department(name),*"] {
            let selection = parse(text).unwrap();
            let department = selection
                .fields
                .iter()
                .find(|selected| selected.field.name == "department")
                .unwrap();
            assert_eq!(names(department.nested.as_ref().unwrap()), ["name"]);
        }
    }

    #[test]
    fn what_is_no_field_is_refused_by_name() {
        assert_eq!(
            parse("id,startDate"),
            Err(IllegalSelection::Field("startDate".to_owned()))
        );
        assert_eq!(
            parse("department(salary)"),
            Err(IllegalSelection::Field("salary".to_owned()))
        );
        assert_eq!(
            parse("firstName(id)"),
            Err(IllegalSelection::Field("firstName".to_owned()))
        );
    }

    #[test]
    fn what_has_no_form_is_refused() {
        let deep = format!(
            "{}id{}",
            "department(departmentManager(".repeat(500),
            "))".repeat(500)
        );
        for text in [
            ",id",
            "id,",
            "id)",
            "department(id",
            "department()",
            "*(id)",
            "department(id)name",
            &deep,
        ] {
            assert_eq!(parse(text), Err(IllegalSelection::Form), "{text:.60}");
        }
    }
}
