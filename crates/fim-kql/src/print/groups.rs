//! Operators over groups of rows, back to text.

use std::fmt::{self, Formatter};

use super::{Named, list, shape, write_expr, write_named, write_operator};
use crate::ast::{ApplyNode, NestedNode, OperatorNode, PartitionNode, SeriesNode};

pub(super) fn apply(node: &ApplyNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str("mv-apply")?;
    shape::expansion(&node.expand, out)?;
    out.write_str(" on ")?;
    subquery(&node.operators, out)
}

pub(super) fn partition(node: &PartitionNode, out: &mut Formatter<'_>) -> fmt::Result {
    write!(out, "partition by {} ", Named(&node.key.text))?;
    subquery(&node.operators, out)
}

fn subquery(operators: &[OperatorNode], out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str("(")?;
    for (position, operator) in operators.iter().enumerate() {
        out.write_str(if position == 0 { "" } else { " | " })?;
        write_operator(&operator.kind, out)?;
    }
    out.write_str(")")
}

pub(super) fn series(node: &SeriesNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str(if node.is_never_empty { "make-series kind=nonempty " } else { "make-series " })?;
    list(&node.aggregates, out, |(aggregate, default), out| {
        write_named(aggregate, out)?;
        match default {
            Some(default) => {
                out.write_str(" default=")?;
                write_expr(default, 0, out)
            }
            None => Ok(()),
        }
    })?;
    out.write_str(" on ")?;
    write_named(&node.axis, out)?;
    for (word, bound) in [(" from ", &node.from), (" to ", &node.to)] {
        if let Some(bound) = bound {
            out.write_str(word)?;
            write_expr(bound, 0, out)?;
        }
    }
    out.write_str(" step ")?;
    write_expr(&node.step, 0, out)?;
    if !node.keys.is_empty() {
        out.write_str(" by ")?;
        list(&node.keys, out, write_named)?;
    }
    Ok(())
}

pub(super) fn top_nested(levels: &[NestedNode], out: &mut Formatter<'_>) -> fmt::Result {
    list(levels, out, |level, out| {
        out.write_str("top-nested ")?;
        if let Some(count) = &level.count {
            write_expr(count, 0, out)?;
            out.write_str(" ")?;
        }
        out.write_str("of ")?;
        write_named(&level.of, out)?;
        if let Some(others) = &level.others {
            out.write_str(" with others=")?;
            write_expr(others, 0, out)?;
        }
        out.write_str(" by ")?;
        write_named(&level.by, out)?;
        out.write_str(if level.is_ascending { " asc" } else { "" })
    })
}
