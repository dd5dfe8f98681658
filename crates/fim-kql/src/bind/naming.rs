//! What columns are called.

use std::collections::BTreeMap;

use super::Binder;
use crate::ast::{ExprKindNode, ExprNode, Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::registry::{self, AggregateEntry, AggregateNaming, Naming, Shape};
use crate::types::Value;

/// The names of the columns of one operator, so that none occurs twice.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Whether each name was written by the author.
    taken: BTreeMap<String, bool>,
    unnamed: usize,
}

impl Names {
    /// A name that the author wrote. None if they wrote it twice; with a suffix if a column has it by chance.
    pub(super) fn declare(&mut self, name: &str) -> Option<String> {
        match self.taken.get(name) {
            Some(true) => None,
            Some(false) => Some(self.automatic(name)),
            None => {
                self.taken.insert(name.to_owned(), true);
                Some(name.to_owned())
            }
        }
    }

    /// A name that was derived; with the suffix 1, 2, … if it is taken.
    pub(super) fn automatic(&mut self, base: &str) -> String {
        let mut name = base.to_owned();
        let mut suffix = 0_usize;
        while self.taken.contains_key(&name) {
            suffix += 1;
            name = format!("{base}{suffix}");
        }
        self.taken.insert(name.clone(), false);
        name
    }

    /// The name of a column that nothing names: `Column1`, `Column2` …
    pub(super) fn by_position(&mut self) -> String {
        self.unnamed += 1;
        self.automatic(&format!("Column{}", self.unnamed))
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.taken.contains_key(name)
    }
}

/// What an expression calls the column that holds it.
pub(super) enum OwnName {
    /// It is a column, and its name counts as written by the author.
    Column(String),
    /// Derived from its parts.
    Derived(String),
    /// Nothing.
    None,
}

impl OwnName {
    pub(super) fn text(self) -> Option<String> {
        match self {
            OwnName::Column(name) | OwnName::Derived(name) => Some(name),
            OwnName::None => None,
        }
    }
}

impl Binder<'_> {
    /// Takes a written name, or says that it is there twice.
    pub(super) fn declared(&mut self, names: &mut Names, name: &str, span: Span) -> Option<String> {
        let declared = names.declare(name);
        if declared.is_none() {
            self.problem(Code::DuplicateName, span, format!("there is already a column '{name}'"));
        }
        declared
    }

    /// The name before `=`, if there is just one. Several are for aggregates with several results.
    pub(super) fn single_name<'n>(&mut self, item: &'n NamedNode) -> Option<&'n Name> {
        if let [_, second, ..] = item.names.as_slice() {
            self.problem(Code::Syntax, second.span, "this expression has one result, not several");
        }
        item.names.first()
    }

    /// The name of an item's column: as written, or derived, or by position.
    pub(super) fn item_name(&mut self, names: &mut Names, item: &NamedNode) -> Option<String> {
        if let Some(name) = self.single_name(item) {
            return self.declared(names, &name.text, name.span);
        }
        match self.own_name(&item.expr) {
            OwnName::Column(name) => self.declared(names, &name, item.expr.span),
            OwnName::Derived(name) => Some(names.automatic(&name)),
            OwnName::None => Some(names.by_position()),
        }
    }

    pub(super) fn own_name(&self, node: &ExprNode) -> OwnName {
        match &node.kind {
            ExprKindNode::Name(name) if self.lets.find(name).is_none() => OwnName::Column(name.clone()),
            ExprKindNode::Member { bag, name } => self.suffixed(bag, &name.text),
            ExprKindNode::Index { container, index } => match &index.kind {
                ExprKindNode::Literal(Value::String(name), _) => self.suffixed(container, name),
                ExprKindNode::Literal(Value::Long(position), _) => {
                    self.suffixed(container, &position.to_string())
                }
                _ => self.suffixed(container, ""),
            },
            ExprKindNode::Call { function, arguments } => {
                let name = |at: usize| {
                    arguments.get(at).and_then(|argument: &NamedNode| self.own_name(&argument.expr).text())
                };
                match registry::aggregate(&function.text) {
                    Some(entry) => aggregate_name(entry, arguments, name),
                    None => call_name(&function.text, arguments, name(0)),
                }
            }
            ExprKindNode::Missing
            | ExprKindNode::Literal(..)
            | ExprKindNode::Name(_)
            | ExprKindNode::Star
            | ExprKindNode::Sign { .. }
            | ExprKindNode::Binary { .. }
            | ExprKindNode::Logical { .. }
            | ExprKindNode::Between { .. }
            | ExprKindNode::List { .. }
            | ExprKindNode::TypeOf(_)
            | ExprKindNode::Query(_) => OwnName::None,
        }
    }

    fn suffixed(&self, container: &ExprNode, part: &str) -> OwnName {
        match self.own_name(container).text() {
            Some(name) => OwnName::Derived(format!("{name}_{part}")),
            None => OwnName::None,
        }
    }
}

fn aggregate_name(
    entry: &AggregateEntry,
    arguments: &[NamedNode],
    name: impl Fn(usize) -> Option<String>,
) -> OwnName {
    let first = name(0).unwrap_or_default();
    OwnName::Derived(match entry.naming {
        AggregateNaming::Prefixed(prefix) => {
            // What is only a condition gives no name.
            let is_condition = entry.has_condition && entry.required == 1;
            format!("{prefix}_{}", if is_condition { "" } else { &first })
        }
        AggregateNaming::TwoArguments => {
            format!("{}_{first}_{}", entry.name, name(1).unwrap_or_default())
        }
        AggregateNaming::FirstArgument => match name(0) {
            Some(name) => name,
            None => return OwnName::Derived("any_arg0".to_owned()),
        },
        AggregateNaming::Percentage => {
            percentile_name(&first, arguments.get(1).map(|argument| &argument.expr.kind))
        }
    })
}

/// `percentile_x_99_9`
pub(super) fn percentile_name(argument: &str, percentage: Option<&ExprKindNode>) -> String {
    let percentage = match percentage {
        Some(ExprKindNode::Literal(Value::Long(number), _)) => number.to_string(),
        Some(ExprKindNode::Literal(Value::Real(number), _)) => number.to_string().replace('.', "_"),
        Some(_) | None => String::new(),
    };
    format!("percentile_{argument}_{percentage}")
}

fn call_name(function: &str, arguments: &[NamedNode], first: Option<String>) -> OwnName {
    let Some(entry) = registry::function(function) else { return OwnName::None };
    // It is the column itself where there is one, and the text that names it is no column.
    if let (Shape::ColumnIfExists, Some(NamedNode { expr, .. })) = (entry.shape, arguments.first()) {
        return match &expr.kind {
            ExprKindNode::Literal(Value::String(name), _) => OwnName::Derived(name.clone()),
            _ => first.map_or(OwnName::None, OwnName::Derived),
        };
    }
    if let (Shape::ArraySort { .. }, Some(first)) = (entry.shape, &first) {
        return OwnName::Derived(format!("{first}_sorted"));
    }
    match (entry.naming, first) {
        (Naming::FirstArgument, Some(name)) => OwnName::Derived(name),
        (Naming::Prefixed(prefix), name) => {
            OwnName::Derived(format!("{prefix}_{}", name.unwrap_or_default()))
        }
        (Naming::Always(name), _) => OwnName::Derived(name.to_owned()),
        (Naming::FirstArgument, None) | (Naming::Position, _) => OwnName::None,
    }
}
