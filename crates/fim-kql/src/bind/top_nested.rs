//! `top-nested`: the values with the greatest aggregate, and for each of them those of the next level.
//!
//! Each level groups the rows that the level before has left.

use super::aggregate::Collector;
use super::groups::row_number;
use super::naming::Names;
use super::operator::column;
use super::{Binder, Building};
use crate::ast::NestedNode;
use crate::diagnostic::{Code, Span};
use crate::plan::{
    Comparison, Expr, ExprKind, Join, JoinKey, JoinKind, NamedExpr, Operator, Plan, SortKey, WindowCall,
};
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    pub(super) fn top_nested(
        &mut self,
        levels: &[NestedNode],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let width = input.columns.len();
        let mut columns: Vec<NamedExpr> = (0..width).map(|at| column(&input, at, span)).collect();
        let mut names = Names::default();
        let mut outputs = Vec::new();
        for level in levels {
            if let Some(others) = &level.others {
                let message =
                    "top-nested with others is not supported yet; add the rest by union with a summarize";
                self.problem(Code::NotSupported, others.span, message);
                return None;
            }
            let value = self.scalar(&level.of.expr, &input)?;
            if !self.is_groupable(&value) {
                return None;
            }
            let name = self.item_name(&mut names, &level.of)?;
            let aggregated = match self.single_name(&level.by) {
                Some(written) => self.declared(&mut names, &written.text, written.span)?,
                None => names.automatic(&format!("aggregated_{name}")),
            };
            outputs.extend([name, aggregated]);
            columns.push(NamedExpr { name: self.hidden_name(), expr: value });
        }
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);

        let rows = building.take_plan();
        let mut above: Option<Plan> = None;
        for (depth, level) in levels.iter().enumerate() {
            self.count_step(span)?;
            self.count_expression(span, rows.size())?;
            above =
                Some(self.level(level, depth, Level { rows: &rows, width, input: &input }, above, span)?);
        }
        let plan = above?;
        let found = plan.schema().clone();
        let renamed = outputs.into_iter().enumerate();
        let columns: Vec<NamedExpr> =
            renamed.map(|(at, name)| NamedExpr { name, ..column(&found, at, span) }).collect();
        let schema = Self::schema_of(&columns);
        let is_broken = building.is_broken;
        *building = Building { is_broken, ..Building::of_plan(plan) };
        building.push(Operator::Project(columns), schema, span);
        self.unknown_columns.clear();
        Some(())
    }

    /// The values of the levels so far with their aggregates, two columns a level.
    fn level(
        &mut self,
        node: &NestedNode,
        depth: usize,
        level: Level<'_>,
        above: Option<Plan>,
        span: Span,
    ) -> Option<Plan> {
        let mut building = Building::of_plan(level.rows.clone());
        let mut keys = Vec::new();
        if let Some(above) = above {
            let first = level.rows.schema().columns.len();
            self.join_level(&mut building, above, depth, level.width, span);
            let joined = building.schema().clone();
            keys.extend((first..first + 2 * depth).map(|at| column(&joined, at, span)));
        }
        let joined = building.schema().clone();
        keys.push(column(&joined, level.width + depth, span));
        let mut collector = Collector::behind(keys.len());
        let mut found = self.summarized(&node.by, level.input, &[], &mut Names::default(), &mut collector)?;
        let aggregate = found.pop()?;
        if !found.is_empty() || !super::coerce::is_ordered(aggregate.expr.ty) {
            let message = "top-nested orders by one value that has an order, as sum(…) or count()";
            self.problem(Code::TypeMismatch, node.by.expr.span, message);
            return None;
        }
        let aggregate = NamedExpr { name: self.hidden_name(), ..aggregate };
        self.push_summarize(keys, collector, vec![aggregate], &mut building, span);
        if let Some(count) = &node.count {
            let count = self.row_count(count)?;
            keep_first(&mut building, count, 2 * depth, node.is_ascending, span);
        }
        Some(building.plan)
    }

    /// Keeps the rows whose values the levels above have, with those levels' columns behind the others.
    fn join_level(&mut self, building: &mut Building, above: Plan, depth: usize, width: usize, span: Span) {
        let (left, right) = (building.schema().clone(), above.schema().clone());
        // Texts, of which none is null: a null is equal to no key, but it is a value here.
        let text = |schema: &Schema, at: usize| column(schema, at, span).expr.convert_to(ScalarType::String);
        let keys = (0..depth)
            .map(|at| JoinKey { left: text(&left, width + at), right: text(&right, 2 * at) })
            .collect();
        let others: Vec<Column> =
            right.columns.iter().map(|column| Column::new(self.hidden_name(), column.ty)).collect();
        let schema = Schema::new(left.columns.into_iter().chain(others).collect());
        let join = Join { kind: JoinKind::Inner, right: above, keys };
        building.push(Operator::Join(Box::new(join)), schema, span);
    }
}

/// What all levels start from.
#[derive(Clone, Copy)]
struct Level<'l> {
    /// The rows, with the values of each level behind their columns.
    rows: &'l Plan,
    /// How many columns the rows have without these.
    width: usize,
    input: &'l Schema,
}

/// Keeps so many rows, by their last column, of each group that the first so many columns tell.
fn keep_first(building: &mut Building, count: u64, grouped: usize, is_ascending: bool, span: Span) {
    let input = building.schema().clone();
    let by = column(&input, input.columns.len() - 1, span).expr;
    let order = vec![SortKey { expr: by, is_descending: !is_ascending, nulls_first: is_ascending }];
    let output = Column::new("$rank", ScalarType::Long);
    let mut ranked = input.clone();
    ranked.columns.push(output.clone());
    let groups = (0..grouped).map(|at| column(&input, at, span).expr).collect();
    let call = WindowCall { groups, ..row_number(order, output, span) };
    building.push(Operator::Window(Box::new(call)), ranked.clone(), span);
    let rank = column(&ranked, input.columns.len(), span).expr;
    let most = Value::Long(i64::try_from(count).unwrap_or(i64::MAX));
    let most = super::expression::literal(most, ScalarType::Long, span);
    let (left, right) = (Box::new(rank), Box::new(most));
    let kind = ExprKind::Compare { operator: Comparison::LessOrEqual, left, right };
    building.push(Operator::Filter(Expr { kind, ty: ScalarType::Bool, span }), ranked, span);
    let columns = (0..input.columns.len()).map(|at| column(&input, at, span)).collect();
    building.push(Operator::Project(columns), input, span);
}
