//! Operators that take a value apart, back to text.

use std::fmt::{self, Formatter};

use super::{Named, write_expr, write_named};
use crate::ast::{ExpandNode, ParseKind, ParseNode, ParsePart};
use crate::literal::quote;
use crate::types::ScalarType;

pub(super) fn parse(node: &ParseNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str(if node.is_where { "parse-where" } else { "parse" })?;
    out.write_str(match node.kind {
        ParseKind::Simple => " ",
        ParseKind::Relaxed => " kind=relaxed ",
        ParseKind::Regex => " kind=regex ",
    })?;
    if !node.flags.is_empty() {
        write!(out, "flags={} ", node.flags)?;
    }
    write_expr(&node.text, 0, out)?;
    out.write_str(" with")?;
    for part in &node.pattern {
        match part {
            ParsePart::Any(_) => out.write_str(" *")?,
            ParsePart::Text(text, _) => write!(out, " {}", quote(text))?,
            ParsePart::Column(name, ScalarType::String) => write!(out, " {}", Named(&name.text))?,
            ParsePart::Column(name, ty) => write!(out, " {}: {ty}", Named(&name.text))?,
        }
    }
    Ok(())
}

pub(super) fn expand(node: &ExpandNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str(if node.is_old { "mvexpand" } else { "mv-expand" })?;
    expansion(node, out)
}

pub(super) fn expansion(node: &ExpandNode, out: &mut Formatter<'_>) -> fmt::Result {
    if node.makes_pairs {
        out.write_str(" kind=array")?;
    }
    if let Some(index) = &node.index {
        write!(out, " with_itemindex={}", Named(&index.text))?;
    }
    for (position, (item, ty)) in node.items.iter().enumerate() {
        out.write_str(if position == 0 { " " } else { ", " })?;
        write_named(item, out)?;
        if let Some(ty) = ty {
            write!(out, " to typeof({ty})")?;
        }
    }
    if let Some(limit) = &node.limit {
        out.write_str(" limit ")?;
        write_expr(limit, 0, out)?;
    }
    Ok(())
}
