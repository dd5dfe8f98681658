//! Paths into JSON: `$.a['b c'][0]`, or the plain name of a property; pure.

use super::json_text::{bag, elements, member, members};

/// Where a value is inside of another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct JsonPath(Vec<PathStep>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum PathStep {
    Member(String),
    Element(usize),
}

impl JsonPath {
    /// The path that a key of a bag means: one that starts with `$`, or the name of a property.
    pub fn of_key(key: &str) -> Option<Self> {
        if key.starts_with("$.") || key.starts_with("$[") {
            return Self::parse(key);
        }
        Some(Self(vec![PathStep::Member(key.to_owned())]))
    }

    /// Reads a path; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(name) = rest.strip_prefix('.') {
                let end = name.find(['.', '[']).unwrap_or(name.len());
                if end == 0 {
                    // `$.['a']` is another way to write `$['a']`.
                    name.starts_with('[').then_some(())?;
                } else {
                    steps.push(PathStep::Member(name[..end].to_owned()));
                }
                rest = &name[end..];
                continue;
            }
            let inside = rest.strip_prefix('[')?;
            if let Some(quote) = inside.chars().next().filter(|first| matches!(first, '\'' | '"')) {
                let end = inside[1..].find(quote)? + 1;
                steps.push(PathStep::Member(inside[1..end].to_owned()));
                rest = inside[end + 1..].strip_prefix(']')?;
            } else {
                let end = inside.find(']')?;
                steps.push(PathStep::Element(inside[..end].trim().parse().ok()?));
                rest = &inside[end + 1..];
            }
        }
        Some(Self(steps))
    }

    /// The value at the path.
    pub fn find<'j>(&self, json: &'j str) -> Option<&'j str> {
        self.0.iter().try_fold(json.trim(), |json, step| match step {
            PathStep::Member(name) => member(json, name),
            PathStep::Element(position) => elements(json)?.get(*position).copied(),
        })
    }

    /// The bag without the property at the path; `None` if there is no such property.
    pub fn without(&self, json: &str) -> Option<String> {
        let (step, rest) = self.0.split_first()?;
        let PathStep::Member(name) = step else { return None };
        let inside = member(json, name)?;
        let inner = match rest {
            [] => None,
            rest => Some(Self(rest.to_vec()).without(inside)?),
        };
        Some(replaced(json, name, inner.as_deref()))
    }

    /// The bag with the value at the path, with new bags on the way; `None` if something else is in the way.
    pub fn with(&self, json: &str, value: &str) -> Option<String> {
        members(json)?;
        let (step, rest) = self.0.split_first()?;
        let PathStep::Member(name) = step else { return None };
        let inner = match rest {
            [] => value.to_owned(),
            rest => Self(rest.to_vec()).with(member(json, name).unwrap_or("{}"), value)?,
        };
        Some(replaced(json, name, Some(&inner)))
    }
}

/// The bag with another value for a property, or without the property.
fn replaced(json: &str, name: &str, value: Option<&str>) -> String {
    let mut members = members(json).unwrap_or_default();
    match (value, members.iter().position(|(other, _)| other == name)) {
        (Some(value), Some(at)) => members[at].1 = value,
        (Some(value), None) => members.push((name.to_owned(), value)),
        (None, _) => members.retain(|(other, _)| other != name),
    }
    bag(members.iter().map(|(name, json)| (name.as_str(), *json)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_leads_through_members_and_elements() {
        let json = r#"{"a":{"b c":[1,{"d":2}]}}"#;
        let find = |path: &str| JsonPath::parse(path).and_then(|path| path.find(json));
        assert_eq!(find("$.a['b c'][1].d"), Some("2"));
        assert_eq!(find("$"), Some(json));
        assert_eq!(find("$.a.['b c'][0]"), Some("1"));
        assert_eq!(find("$.x"), None);
        assert_eq!(find("a"), None);
        assert_eq!(find("$.a..b"), None);
    }

    #[test]
    fn a_property_is_set_and_removed_deep_inside() {
        let with = |json, path| JsonPath::of_key(path).and_then(|path: JsonPath| path.with(json, "3"));
        assert_eq!(with(r#"{"a":1}"#, "b").as_deref(), Some(r#"{"a":1,"b":3}"#));
        assert_eq!(with(r#"{"a":1}"#, "$.b.c").as_deref(), Some(r#"{"a":1,"b":{"c":3}}"#));
        assert_eq!(with(r#"{"a":1}"#, "$.a.c"), None);
        assert_eq!(with("[1]", "a"), None);
        let without = |json, path| JsonPath::of_key(path).and_then(|path: JsonPath| path.without(json));
        assert_eq!(without(r#"{"a":{"b":1,"c":2}}"#, "$.a.b").as_deref(), Some(r#"{"a":{"c":2}}"#));
        assert_eq!(without(r#"{"a":1}"#, "b"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(path in "[$.\\[\\]'\"a1é ]{0,12}", json in "[\\[\\]{}:,\"\\\\ a1é]{0,20}") {
            if let Some(path) = JsonPath::parse(&path) {
                let _ = (path.find(&json), path.with(&json, "1"), path.without(&json));
            }
        }
    }
}
