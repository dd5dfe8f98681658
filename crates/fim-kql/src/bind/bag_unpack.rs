//! `evaluate bag_unpack(…)`: the properties of bags as columns.
//!
//! Which columns there are only the rows can tell. The binder asks for the different shapes of the bags, and binds
//! again when it has the answer; see [`Bound`](super::Bound).

use std::collections::BTreeMap;

use super::naming::Names;
use super::operator::column;
use super::{Binder, Building};
use crate::ast::{ExprKindNode, Name, NamedNode, OutputSchemaNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::function::Function;
use crate::json;
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, Plan, Step};
use crate::types::{Column, ScalarType, Schema, Value};

/// What the arguments of `bag_unpack` say.
#[derive(Debug, Default)]
struct Unpacking {
    /// The position of the bag.
    bag: usize,
    prefix: String,
    conflict: Conflict,
    ignored: Vec<String>,
}

/// What happens if a property is called like a column of the input.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Conflict {
    #[default]
    Error,
    ReplaceSource,
    KeepSource,
}

impl Binder<'_> {
    pub(super) fn bag_unpack(
        &mut self,
        name: &Name,
        arguments: &[NamedNode],
        declared: Option<&OutputSchemaNode>,
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let unpacking = self.unpacking(name, arguments, &input)?;
        let properties = match declared {
            Some(declared) => Self::declared_properties(declared, &input, &unpacking),
            None => {
                let question = shapes_of(building.plan.clone(), unpacking.bag, span);
                properties_of(self.answer(question)?)
            }
        };
        self.count_expression(span, properties.len().saturating_mul(2))?;
        let columns = self.unpacked(&input, &unpacking, &properties, span)?;
        self.unknown_columns.clear();
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        Some(())
    }

    /// Reads the arguments: the bag, then by position or name the prefix, what happens to columns of the same name,
    /// and the properties that are left out.
    fn unpacking(&mut self, name: &Name, arguments: &[NamedNode], input: &Schema) -> Option<Unpacking> {
        const NAMES: [&str; 4] = ["column", "OutputColumnPrefix", "columnsConflict", "ignoredProperties"];
        if arguments.is_empty() || arguments.len() > NAMES.len() {
            self.wrong_count(name, 1, NAMES.len(), arguments.len());
            return None;
        }
        let mut unpacking = Unpacking::default();
        for (position, argument) in arguments.iter().enumerate() {
            let which = argument.names.first().map_or(NAMES[position], |name| name.text.as_str());
            match which {
                "column" => unpacking.bag = self.bag_column(argument, input)?,
                "OutputColumnPrefix" => unpacking.prefix = self.constant_text(argument)?,
                "columnsConflict" => unpacking.conflict = self.conflict(argument)?,
                "ignoredProperties" => unpacking.ignored = self.constant_texts(argument)?,
                other => {
                    let message = format!("bag_unpack has no parameter '{other}'");
                    let problem = Problem::new(Code::UnknownName, argument.expr.span, message);
                    self.problems.push(problem.expecting(NAMES));
                    return None;
                }
            }
        }
        Some(unpacking)
    }

    fn bag_column(&mut self, argument: &NamedNode, input: &Schema) -> Option<usize> {
        let expr = self.scalar(&argument.expr, input)?;
        match expr.kind {
            ExprKind::Column(position) if expr.ty == ScalarType::Dynamic => Some(position),
            _ => {
                let hint = "; make one by extend with parse_json(…) before";
                let message = format!("bag_unpack needs a column of type dynamic, not a {}{hint}", expr.ty);
                self.problem(Code::TypeMismatch, argument.expr.span, message);
                None
            }
        }
    }

    fn constant_text(&mut self, argument: &NamedNode) -> Option<String> {
        match self.scalar(&argument.expr, &Schema::default())?.kind {
            ExprKind::Literal(Value::String(text)) => Some(text),
            _ => {
                self.problem(Code::InvalidConstant, argument.expr.span, "a constant text is needed here");
                None
            }
        }
    }

    fn constant_texts(&mut self, argument: &NamedNode) -> Option<Vec<String>> {
        let texts = match &argument.expr.kind {
            ExprKindNode::Literal(Value::Dynamic(text), _) => json::scalars(text),
            _ => None,
        };
        let Some(values) = texts else {
            let message = "a constant array of names is needed here";
            let problem = Problem::new(Code::InvalidConstant, argument.expr.span, message);
            self.problems.push(problem.expecting(["dynamic([\"name\", …])"]));
            return None;
        };
        Some(values.iter().map(json::plain).collect())
    }

    fn conflict(&mut self, argument: &NamedNode) -> Option<Conflict> {
        const WORDS: [&str; 3] = ["error", "replace_source", "keep_source"];
        match self.constant_text(argument)?.as_str() {
            "error" => Some(Conflict::Error),
            "replace_source" => Some(Conflict::ReplaceSource),
            "keep_source" => Some(Conflict::KeepSource),
            other => {
                let message = format!("bag_unpack knows no way '{other}' to settle conflicts");
                let problem = Problem::new(Code::InvalidConstant, argument.expr.span, message);
                self.problems.push(problem.expecting(WORDS));
                None
            }
        }
    }

    /// The properties that the text names, without the columns of the input and the prefix.
    fn declared_properties(
        declared: &OutputSchemaNode,
        input: &Schema,
        unpacking: &Unpacking,
    ) -> Vec<(String, ScalarType)> {
        let columns = declared.columns.iter().filter_map(|(name, ty)| Some((&name.text, (*ty)?)));
        columns
            .filter(|(name, _)| input.index_of(name).is_none_or(|at| at == unpacking.bag))
            .filter_map(|(name, ty)| Some((name.strip_prefix(&unpacking.prefix)?.to_owned(), ty)))
            .collect()
    }

    /// The columns of the input without the bag, then one for each property.
    fn unpacked(
        &mut self,
        input: &Schema,
        unpacking: &Unpacking,
        properties: &[(String, ScalarType)],
        span: Span,
    ) -> Option<Vec<NamedExpr>> {
        let mut kept: Vec<usize> = (0..input.columns.len()).filter(|at| *at != unpacking.bag).collect();
        let bag = column(input, unpacking.bag, span).expr;
        let mut unpacked = Vec::new();
        for (property, ty) in properties {
            if unpacking.ignored.contains(property) {
                continue;
            }
            let name = format!("{}{property}", unpacking.prefix);
            let existing = kept.iter().position(|at| input.columns[*at].name == name);
            match (existing, unpacking.conflict) {
                (None, _) => {}
                (Some(_), Conflict::KeepSource) => continue,
                (Some(at), Conflict::ReplaceSource) => {
                    kept.remove(at);
                }
                (Some(_), Conflict::Error) => {
                    let message = format!(
                        "the bags have a property '{property}', and there is a column '{name}'; give a prefix or \
                         columnsConflict"
                    );
                    self.problem(Code::DuplicateName, span, message);
                    return None;
                }
            }
            let kind = ExprKind::Member { bag: Box::new(bag.clone()), name: property.clone() };
            let value = Expr { kind, ty: ScalarType::Dynamic, span }.convert_to(*ty);
            unpacked.push((name, value));
        }
        let mut names = Names::default();
        let own = kept.into_iter().map(|at| column(input, at, span)).map(|own| (own.name, own.expr));
        let columns = own.chain(unpacked);
        Some(columns.map(|(name, expr)| NamedExpr { name: names.automatic(&name), expr }).collect())
    }
}

/// The different shapes of the bags in a column.
fn shapes_of(mut plan: Plan, bag: usize, span: Span) -> Plan {
    let bag = Expr { kind: ExprKind::Column(bag), ty: ScalarType::Dynamic, span };
    let shape = ExprKind::Call { function: Function::BagShape, arguments: vec![bag] };
    let expr = Expr { kind: shape, ty: ScalarType::String, span };
    let schema = Schema::new(vec![Column::new("shape", ScalarType::String)]);
    let project = Operator::Project(vec![NamedExpr { name: "shape".to_owned(), expr }]);
    plan.steps.push(Step { operator: project, schema: schema.clone(), span });
    plan.steps.push(Step { operator: Operator::Distinct, schema, span });
    plan
}

/// All properties of several shapes in the order of their names. One of several types is dynamic, or real if all of
/// them are numbers.
fn properties_of(shapes: &[Value]) -> Vec<(String, ScalarType)> {
    let mut types: BTreeMap<String, Option<ScalarType>> = BTreeMap::new();
    for shape in shapes {
        let Value::String(shape) = shape else { continue };
        for (name, ty) in properties(shape) {
            let known = types.entry(name.to_owned()).or_default();
            *known = match (*known, ty) {
                (None, ty) | (ty, None) => ty,
                (Some(known), Some(ty)) if known == ty => Some(ty),
                (Some(ScalarType::Long | ScalarType::Real), Some(ScalarType::Long | ScalarType::Real)) => {
                    Some(ScalarType::Real)
                }
                (Some(_), Some(_)) => Some(ScalarType::Dynamic),
            };
        }
    }
    types.into_iter().map(|(name, ty)| (name, ty.unwrap_or(ScalarType::Dynamic))).collect()
}

/// The names and types in one shape, as [`Function::BagShape`] writes it; a null has no type.
fn properties(shape: &str) -> Vec<(&str, Option<ScalarType>)> {
    let mut found = Vec::new();
    let mut rest = shape;
    while let Some((name, ty, left)) = property(rest) {
        found.push((name, ty));
        rest = left;
    }
    found
}

fn property(shape: &str) -> Option<(&str, Option<ScalarType>, &str)> {
    let (ty, rest) = shape.split_once(' ')?;
    let (length, rest) = rest.split_once(' ')?;
    let (name, rest) = rest.split_at_checked(length.parse().ok()?)?;
    Some((name, ScalarType::from_name(ty), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn the_properties_of_several_shapes_have_a_type_that_fits_all() {
        let shapes =
            [shape("long 1 along 1 bnull 1 c"), shape("real 1 astring 1 b"), shape("null 1 astring 3 d e")];
        let found = properties_of(&shapes);
        let expected = [
            ("a", ScalarType::Real),
            ("b", ScalarType::Dynamic),
            ("c", ScalarType::Dynamic),
            ("d e", ScalarType::String),
        ];
        assert_eq!(found, expected.map(|(name, ty)| (name.to_owned(), ty)));
    }

    #[test]
    fn a_shape_that_is_cut_off_gives_what_is_whole() {
        assert_eq!(properties("long 3 Agestring 9 N"), [("Age", Some(ScalarType::Long))]);
        assert_eq!(properties(""), []);
    }
}
