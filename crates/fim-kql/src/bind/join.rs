//! `join` and `lookup`.

use super::coerce;
use super::naming::Names;
use super::operator::column;
use super::{Binder, Building};
use crate::ast::{BinaryOperator, ExprKindNode, ExprNode, JoinNode, JoinWord, Name};
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{Comparison, Expr, ExprKind, Join, JoinKey, JoinKind, NamedExpr, Operator};
use crate::suggest::nearest;
use crate::types::{Column, ScalarType, Schema};

/// The positions of two columns that must be equal.
struct KeyColumns {
    left: usize,
    right: usize,
}

impl Binder<'_> {
    pub(super) fn join(&mut self, node: &JoinNode, building: &mut Building, span: Span) -> Option<()> {
        let right = self.pipeline(&node.table);
        let right = right?;
        let (left_schema, right_schema) = (building.schema().clone(), right.schema().clone());
        let mut columns = Vec::new();
        let mut is_right = true;
        for condition in &node.on {
            is_right &= self.join_condition(condition, &left_schema, &right_schema, &mut columns).is_some();
        }
        let keys: Vec<Option<JoinKey>> =
            columns.iter().map(|key| self.join_key(key, &left_schema, &right_schema, span)).collect();
        let keys = keys.into_iter().collect::<Option<Vec<JoinKey>>>().filter(|_| is_right)?;

        let default =
            if node.is_lookup { JoinWord::Plain(JoinKind::LeftOuter) } else { JoinWord::InnerUnique };
        let kind = match node.kind.unwrap_or(default) {
            JoinWord::Plain(kind) => kind,
            JoinWord::InnerUnique => {
                let keys = keys.iter().map(|key| key.left.clone()).collect();
                building.push(Operator::FirstOf { keys }, left_schema.clone(), span);
                JoinKind::Inner
            }
        };
        let is_of_left =
            matches!(kind, JoinKind::Inner | JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti);
        if building.groups.is_some() && !is_of_left {
            let message = "inside of mv-apply and partition only joins that keep to the left rows are supported; use \
                           inner, leftouter, leftsemi or leftanti";
            self.problem(Code::NotSupported, span, message);
            return None;
        }
        let schema = joined_schema(kind, &left_schema, &right_schema);
        self.unknown_columns.clear();
        building.is_serialized = false;
        building.push(Operator::Join(Box::new(Join { kind, right, keys })), schema.clone(), span);
        if node.is_lookup {
            let left_width = left_schema.columns.len();
            let is_key = |at: usize| columns.iter().any(|key| left_width + key.right == at);
            Self::keep_lookup(building, &schema, &right_schema, left_width, is_key, span);
        }
        Some(())
    }

    /// Leaves out the keys of the right side, and names its other columns as if they had never been there.
    fn keep_lookup(
        building: &mut Building,
        joined: &Schema,
        right: &Schema,
        left_width: usize,
        is_key: impl Fn(usize) -> bool,
        span: Span,
    ) {
        let mut names = Names::default();
        let columns = (0..joined.columns.len()).filter(|at| !is_key(*at)).map(|at| {
            let own = column(joined, at, span);
            let base = if at < left_width { &own.name } else { &right.columns[at - left_width].name };
            NamedExpr { name: names.automatic(base), ..own }
        });
        let columns: Vec<NamedExpr> = columns.collect();
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
    }

    /// Adds the columns that a condition compares. None if it is no condition of a join, which is said.
    fn join_condition(
        &mut self,
        node: &ExprNode,
        left: &Schema,
        right: &Schema,
        keys: &mut Vec<KeyColumns>,
    ) -> Option<()> {
        match &node.kind {
            ExprKindNode::Missing => None,
            ExprKindNode::Name(name) => {
                let left = self.join_column(name, node.span, left, "left", true);
                let right = self.join_column(name, node.span, right, "right", false);
                keys.push(KeyColumns { left: left?, right: right? });
                Some(())
            }
            ExprKindNode::Logical { is_and: true, operands } => {
                let found: Vec<Option<()>> =
                    operands.iter().map(|operand| self.join_condition(operand, left, right, keys)).collect();
                found.into_iter().collect()
            }
            ExprKindNode::Binary {
                operator: BinaryOperator::Comparison(Comparison::Equal),
                left: a,
                right: b,
                ..
            } => {
                let (a, b) = match (side(a), side(b)) {
                    (Some((true, a)), Some((false, b))) | (Some((false, b)), Some((true, a))) => (a, b),
                    _ => return self.no_join_condition(node),
                };
                let left = self.join_column(&a.text, a.span, left, "left", true);
                let right = self.join_column(&b.text, b.span, right, "right", false);
                keys.push(KeyColumns { left: left?, right: right? });
                Some(())
            }
            _ => self.no_join_condition(node),
        }
    }

    fn no_join_condition(&mut self, node: &ExprNode) -> Option<()> {
        let message = "a join compares columns for equality";
        let problem = Problem::new(Code::Syntax, node.span, message);
        self.problems.push(problem.expecting(["a column of both tables", "$left.Column == $right.Column"]));
        None
    }

    fn join_column(
        &mut self,
        name: &str,
        span: Span,
        schema: &Schema,
        which: &str,
        is_left: bool,
    ) -> Option<usize> {
        let position = schema.index_of(name);
        let is_told = name.is_empty() || (is_left && self.unknown_columns.contains(name));
        if position.is_none() && !is_told {
            let suggestion = nearest(name, schema.columns.iter().map(|column| column.name.as_str()));
            let message = format!("the {which} table has no column '{name}'");
            self.problems.push(Problem::new(Code::UnknownName, span, message).suggesting(suggestion));
        }
        position
    }

    /// Both columns in one type.
    fn join_key(&mut self, key: &KeyColumns, left: &Schema, right: &Schema, span: Span) -> Option<JoinKey> {
        let (left_column, right_column) = (&left.columns[key.left], &right.columns[key.right]);
        let types = (left_column.ty, right_column.ty);
        let ty = match types {
            (ScalarType::Dynamic, _) | (_, ScalarType::Dynamic) => None,
            (a, b) if a == b => Some(a),
            (a, b) => coerce::widest(&[a, b]),
        };
        if types == (ScalarType::Dynamic, ScalarType::Dynamic) {
            let message = "a join by dynamic values is not supported; convert them with tostring(…) before";
            self.problem(Code::NotSupported, span, message);
            return None;
        }
        let Some(ty) = ty else {
            let message = format!(
                "the keys '{}' ({}) and '{}' ({}) cannot be compared; convert one of them before the join",
                left_column.name, types.0, right_column.name, types.1
            );
            self.problem(Code::TypeMismatch, span, message);
            return None;
        };
        let of = |position, ty| Expr { kind: ExprKind::Column(position), ty, span };
        Some(JoinKey {
            left: of(key.left, types.0).convert_to(ty),
            right: of(key.right, types.1).convert_to(ty),
        })
    }
}

/// `$left.name` or `$right.name`: whether it is the left one, and the name.
fn side(node: &ExprNode) -> Option<(bool, &Name)> {
    let ExprKindNode::Member { bag, name } = &node.kind else { return None };
    match &bag.kind {
        ExprKindNode::Name(side) if side == "$left" => Some((true, name)),
        ExprKindNode::Name(side) if side == "$right" => Some((false, name)),
        _ => None,
    }
}

/// The columns of a join; those of the right get a suffix if their names are taken.
fn joined_schema(kind: JoinKind, left: &Schema, right: &Schema) -> Schema {
    match kind {
        JoinKind::LeftSemi | JoinKind::LeftAnti => left.clone(),
        JoinKind::RightSemi | JoinKind::RightAnti => right.clone(),
        JoinKind::Inner | JoinKind::LeftOuter | JoinKind::RightOuter | JoinKind::FullOuter => {
            let mut names = Names::default();
            let columns = left.columns.iter().chain(&right.columns);
            Schema::new(columns.map(|column| Column::new(names.automatic(&column.name), column.ty)).collect())
        }
    }
}
