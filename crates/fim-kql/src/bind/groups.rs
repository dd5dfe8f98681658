//! Operators for each group of rows, as `mv-apply` and `partition` run them.
//!
//! No plan is run for each group. All groups go through one plan, and each row carries, in columns that no name
//! reaches, which group it is of and what must be known of the group at the end. [`Building::push`] makes of every
//! step one that keeps the groups apart: `summarize` groups by the group as well, `take` counts in each group.

use super::Building;
use super::expression::literal;
use super::operator::column;
use crate::aggregate::Aggregate;
use crate::ast::OperatorKind;
use crate::diagnostic::Span;
use crate::plan::{
    AggregateCall, Comparison, Expr, ExprKind, NamedExpr, Operator, SortKey, Step, WindowCall,
};
use crate::types::{Column, ScalarType, Schema, Value};
use crate::window_function::WindowFunction;

/// The groups that the rows of a plan are in.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// The columns that the operators see; they are the first ones of the plan.
    pub(super) visible: Schema,
    /// The columns behind them that tell the group.
    pub(super) keys: Vec<Column>,
    /// The columns behind those, which are the same in all rows of a group.
    pub(super) kept: Vec<Column>,
}

impl Groups {
    fn hidden(&self) -> impl Iterator<Item = &Column> {
        self.keys.iter().chain(&self.kept)
    }

    /// All columns, with these as the visible ones.
    fn schema(&self, visible: &Schema) -> Schema {
        Schema::new(visible.columns.iter().chain(self.hidden()).cloned().collect())
    }

    /// What tells the group.
    fn key_exprs(&self, span: Span) -> Vec<Expr> {
        let start = self.visible.columns.len();
        let key = |(at, key): (usize, &Column)| Expr { kind: ExprKind::Column(start + at), ty: key.ty, span };
        self.keys.iter().enumerate().map(key).collect()
    }
}

impl Building {
    /// Adds an operator; `schema` are the columns that it gives, without those that tell the group.
    pub(super) fn push(&mut self, operator: Operator, schema: Schema, span: Span) {
        let Some(groups) = self.groups.take() else {
            self.plan.steps.push(Step { operator, schema, span });
            return;
        };
        self.push_for_each(operator, &schema, &groups, span);
        self.groups = Some(Groups { visible: schema, ..groups });
    }

    /// Adds an operator to a plan without groups, or one that minds them itself.
    pub(super) fn push_plain(&mut self, operator: Operator, schema: Schema, span: Span) {
        self.plan.steps.push(Step { operator, schema, span });
    }

    fn push_for_each(&mut self, operator: Operator, output: &Schema, groups: &Groups, span: Span) {
        let input = groups.schema(&groups.visible);
        let visible = groups.visible.columns.len();
        let hidden = visible..input.columns.len();
        match operator {
            Operator::Filter(_) | Operator::Sort(_) => self.push_plain(operator, groups.schema(output), span),
            Operator::Project(mut columns) => {
                columns.extend(hidden.map(|at| column(&input, at, span)));
                self.push_plain(Operator::Project(columns), groups.schema(output), span);
            }
            Operator::Take(count) => {
                let order = self.order().unwrap_or_default();
                self.push_first_rows(count, order, &input, groups, span);
            }
            Operator::Top { count, keys } => {
                self.push_first_rows(count, keys.clone(), &input, groups, span);
                self.push_plain(Operator::Sort(keys), input, span);
            }
            Operator::Window(mut call) => {
                call.groups = groups.key_exprs(span);
                let mut added = input;
                added.columns.push(call.output.clone());
                self.push_plain(Operator::Window(call), added, span);
                self.put_groups_last(output, groups, span);
            }
            Operator::Expand(expand) => {
                let mut added = input;
                added.columns.extend(output.columns[visible..].iter().cloned());
                self.push_plain(Operator::Expand(expand), added, span);
                self.put_groups_last(output, groups, span);
            }
            Operator::Join(join) => {
                let mut added = input;
                added.columns.extend(output.columns.get(visible..).unwrap_or_default().iter().cloned());
                self.push_plain(Operator::Join(join), added, span);
                self.put_groups_last(output, groups, span);
            }
            Operator::FirstOf { mut keys } => {
                keys.extend(groups.key_exprs(span));
                self.push_plain(Operator::FirstOf { keys }, input, span);
            }
            Operator::Summarize { keys, aggregates } => {
                self.summarize_each(keys, aggregates, output, groups, span);
            }
            Operator::Distinct => {
                let keys = (0..visible).map(|at| column(&input, at, span)).collect();
                self.summarize_each(keys, Vec::new(), output, groups, span);
            }
            Operator::Count => {
                let outputs = output.clone();
                let count = AggregateCall {
                    aggregate: Aggregate::Count,
                    arguments: Vec::new(),
                    condition: None,
                    outputs,
                };
                self.summarize_each(Vec::new(), vec![count], output, groups, span);
            }
            // Refused where it is bound; see `refused_in_groups`.
            Operator::Sample(_) => self.push_plain(operator, input, span),
        }
    }

    /// Keeps so many rows of each group.
    fn push_first_rows(
        &mut self,
        count: u64,
        order: Vec<SortKey>,
        input: &Schema,
        groups: &Groups,
        span: Span,
    ) {
        let output = Column::new("$rank", ScalarType::Long);
        let mut ranked = input.clone();
        ranked.columns.push(output.clone());
        let call = WindowCall { groups: groups.key_exprs(span), ..row_number(order, output, span) };
        self.push_plain(Operator::Window(Box::new(call)), ranked.clone(), span);
        let rank = Expr { kind: ExprKind::Column(input.columns.len()), ty: ScalarType::Long, span };
        let most = literal(Value::Long(i64::try_from(count).unwrap_or(i64::MAX)), ScalarType::Long, span);
        let (left, right) = (Box::new(rank), Box::new(most));
        let kind = ExprKind::Compare { operator: Comparison::LessOrEqual, left, right };
        self.push_plain(Operator::Filter(Expr { kind, ty: ScalarType::Bool, span }), ranked, span);
        let columns = (0..input.columns.len()).map(|at| column(input, at, span)).collect();
        self.push_plain(Operator::Project(columns), input.clone(), span);
    }

    /// Groups by the group as well, and keeps what is kept of it.
    fn summarize_each(
        &mut self,
        mut keys: Vec<NamedExpr>,
        mut aggregates: Vec<AggregateCall>,
        output: &Schema,
        groups: &Groups,
        span: Span,
    ) {
        let input = groups.schema(&groups.visible);
        let first_key = groups.visible.columns.len();
        let first_kept = first_key + groups.keys.len();
        keys.extend((first_key..first_kept).map(|at| column(&input, at, span)));
        aggregates.extend((first_kept..input.columns.len()).map(|at| {
            let NamedExpr { name, expr } = column(&input, at, span);
            let outputs = Schema::new(vec![Column::new(name, expr.ty)]);
            AggregateCall { aggregate: Aggregate::TakeAny, arguments: vec![expr], condition: None, outputs }
        }));
        let key_columns = keys.iter().map(|key| Column::new(key.name.clone(), key.expr.ty));
        let others = aggregates.iter().flat_map(|call| call.outputs.columns.iter().cloned());
        let summarized = Schema::new(key_columns.chain(others).collect());
        self.push_plain(Operator::Summarize { keys, aggregates }, summarized, span);
        self.put_groups_last(output, groups, span);
    }

    /// Puts the columns that tell the group, which stand between others now, behind those that the operators see.
    fn put_groups_last(&mut self, output: &Schema, groups: &Groups, span: Span) {
        let schema = self.plan.schema().clone();
        let place = |at: &usize| groups.hidden().position(|hidden| hidden.name == schema.columns[*at].name);
        let mut order: Vec<usize> = (0..schema.columns.len()).collect();
        order.sort_by_key(|at| place(at).map_or((false, *at), |place| (true, place)));
        let columns = order.into_iter().map(|at| column(&schema, at, span)).collect();
        self.push_plain(Operator::Project(columns), groups.schema(output), span);
    }
}

/// Counts rows from 1.
pub(super) fn row_number(order: Vec<SortKey>, output: Column, span: Span) -> WindowCall {
    let first = literal(Value::Long(1), ScalarType::Long, span);
    let restart = literal(Value::Bool(false), ScalarType::Bool, span);
    let function = WindowFunction::RowNumber;
    WindowCall { function, arguments: vec![first, restart], groups: Vec::new(), order, output }
}

/// What cannot stand among the operators for each group: its name, and what to do instead.
pub(super) fn refused_in_groups(kind: &OperatorKind) -> Option<(&'static str, &'static str)> {
    const BEHIND: &str = "put it behind the parentheses";
    match kind {
        OperatorKind::As(_) => Some(("as", BEHIND)),
        OperatorKind::Union(_) => Some(("union", BEHIND)),
        OperatorKind::Sample(_) => Some(("sample", "use take, or put it behind the parentheses")),
        OperatorKind::SampleDistinct { .. } => Some(("sample-distinct", "use distinct and take")),
        OperatorKind::Search(_) => Some(("search", "use where")),
        OperatorKind::GetSchema => Some(("getschema", BEHIND)),
        OperatorKind::Invoke(_) => Some(("invoke", "write the function's operators")),
        OperatorKind::Evaluate(_) => Some(("evaluate", BEHIND)),
        OperatorKind::Render(_) => Some(("render", BEHIND)),
        OperatorKind::TopNested(_) => Some(("top-nested", BEHIND)),
        OperatorKind::Where(_)
        | OperatorKind::Project(_)
        | OperatorKind::Extend(_)
        | OperatorKind::ProjectAway(_)
        | OperatorKind::ProjectKeep(_)
        | OperatorKind::ProjectRename(_)
        | OperatorKind::ProjectReorder(_)
        | OperatorKind::Summarize { .. }
        | OperatorKind::Sort(_)
        | OperatorKind::Take(_)
        | OperatorKind::Top { .. }
        | OperatorKind::Distinct(_)
        | OperatorKind::Count(_)
        | OperatorKind::Join(_)
        | OperatorKind::Serialize(_)
        | OperatorKind::Parse(_)
        | OperatorKind::Expand(_)
        | OperatorKind::Apply(_)
        | OperatorKind::Partition(_)
        | OperatorKind::Series(_)
        | OperatorKind::Invalid => None,
    }
}
