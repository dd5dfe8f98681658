//! `mv-apply` and `partition`: operators for each row's elements, or for the rows of each value of a column.

use super::groups::{Groups, refused_in_groups, row_number};
use super::operator::column;
use super::shape::{Expanded, put, put_elements};
use super::{Binder, Building};
use crate::ast::{ApplyNode, ExpandNode, OperatorNode, PartitionNode};
use crate::diagnostic::{Code, Span};
use crate::plan::{Expand, Expr, ExprKind, NamedExpr, Operator, SortKey};
use crate::types::{Column, ScalarType};

impl Binder<'_> {
    /// The rows are numbered, and each element's row carries the number and all columns of the row it is from. What
    /// the operators give is put beside these columns.
    pub(super) fn apply(&mut self, node: &ApplyNode, building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let width = input.columns.len();
        self.count_expression(span, width.saturating_mul(4))?;
        let outer = building.groups.take();
        let (keys, kept) = outer.as_ref().map_or((0, 0), |outer| (outer.keys.len(), outer.kept.len()));

        let number = Column::new(self.hidden_name(), ScalarType::Long);
        let order = building.order().unwrap_or_default();
        let mut numbered = building.plan.schema().clone();
        numbered.columns.push(number.clone());
        building.push_plain(
            Operator::Window(Box::new(row_number(order, number.clone(), span))),
            numbered,
            span,
        );

        let copies: Vec<Column> =
            input.columns.iter().map(|column| Column::new(self.hidden_name(), column.ty)).collect();
        let plan_schema = building.plan.schema().clone();
        let mut columns: Vec<NamedExpr> =
            (0..plan_schema.columns.len()).map(|at| column(&plan_schema, at, span)).collect();
        let row = columns.pop()?;
        columns.insert(width, row);
        columns.extend(copies.iter().enumerate().map(|(at, copy)| NamedExpr {
            name: copy.name.clone(),
            expr: Expr { kind: ExprKind::Column(at), ty: copy.ty, span },
        }));
        let schema = Self::schema_of(&columns);
        building.push_plain(Operator::Project(columns), schema.clone(), span);
        let kept_columns = schema.columns[width + 1..].to_vec();
        building.groups = Some(Groups { visible: input.clone(), keys: vec![number], kept: kept_columns });

        let replaced = self.expand_elements(&node.expand, building, span)?;
        self.for_each_group(&node.operators, building, span)?;

        Self::sort_by_row(building, span);
        // The columns of the row, and beside or instead of them those that the operators gave.
        let given = building.schema().clone();
        let groups = building.groups.take()?;
        let first_copy = given.columns.len() + 1 + keys + kept;
        let mut outputs: Vec<NamedExpr> = input
            .columns
            .iter()
            .enumerate()
            .filter(|(at, _)| !replaced.contains(at))
            .map(|(at, column)| NamedExpr {
                name: column.name.clone(),
                expr: Expr { kind: ExprKind::Column(first_copy + at), ty: column.ty, span },
            })
            .collect();
        for (at, own) in given.columns.iter().enumerate() {
            put(&mut outputs, &own.name, Expr { kind: ExprKind::Column(at), ty: own.ty, span });
        }
        let visible = Self::schema_of(&outputs);
        let carried = given.columns.len() + groups.keys.len();
        let full = building.plan.schema().clone();
        outputs.extend((carried..carried + keys + kept).map(|at| column(&full, at, span)));
        let schema = Self::schema_of(&outputs);
        building.push_plain(Operator::Project(outputs), schema, span);
        building.groups = outer.map(|outer| Groups { visible, ..outer });
        building.is_serialized = false;
        building.ordered = Some((building.plan.steps.len(), Vec::new()));
        Some(())
    }

    /// The operators for the rows of each value of a column.
    pub(super) fn partition(
        &mut self,
        node: &PartitionNode,
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let Some(position) = input.index_of(&node.key.text) else {
            if !node.key.text.is_empty() && !self.unknown_columns.contains(&node.key.text) {
                self.unknown_name(&node.key.text, node.key.span, &input);
            }
            return None;
        };
        let key = column(&input, position, node.key.span).expr;
        if !self.is_groupable(&key) {
            return None;
        }
        let own = Column::new(self.hidden_name(), key.ty);
        let outer = building.groups.take();
        let mut groups =
            outer.clone().unwrap_or(Groups { visible: input.clone(), keys: Vec::new(), kept: Vec::new() });
        let plan_schema = building.plan.schema().clone();
        let mut columns: Vec<NamedExpr> =
            (0..plan_schema.columns.len()).map(|at| column(&plan_schema, at, span)).collect();
        columns
            .insert(input.columns.len() + groups.keys.len(), NamedExpr { name: own.name.clone(), expr: key });
        groups.keys.push(own.clone());
        let schema = Self::schema_of(&columns);
        building.push_plain(Operator::Project(columns), schema, span);
        building.groups = Some(groups);
        building.is_serialized = false;
        building.ordered = Some((building.plan.steps.len(), Vec::new()));
        self.for_each_group(&node.operators, building, span)?;

        let visible = building.schema().clone();
        let full = building.plan.schema().clone();
        let outputs = (0..full.columns.len()).filter(|at| full.columns[*at].name != own.name);
        let outputs: Vec<NamedExpr> = outputs.map(|at| column(&full, at, span)).collect();
        let schema = Self::schema_of(&outputs);
        building.push_plain(Operator::Project(outputs), schema, span);
        building.groups = outer.map(|outer| Groups { visible, ..outer });
        building.is_serialized = false;
        building.ordered = Some((building.plan.steps.len(), Vec::new()));
        Some(())
    }

    /// The rows of each group together, the groups in the order of the rows that they are from.
    fn sort_by_row(building: &mut Building, span: Span) {
        let schema = building.plan.schema().clone();
        let number = column(&schema, building.schema().columns.len(), span).expr;
        let mut keys = vec![SortKey { expr: number, is_descending: false, nulls_first: true }];
        keys.extend(building.order().unwrap_or_default());
        building.push_plain(Operator::Sort(keys), schema, span);
    }

    /// Binds operators over the groups that a plan has.
    fn for_each_group(
        &mut self,
        operators: &[OperatorNode],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        self.deeper(span)?;
        let rows = self.rows;
        self.rows = self.rows.wrapping_add(1);
        let is_right = operators.iter().all(|operator| self.in_groups(operator, building).is_some());
        self.rows = rows;
        self.nesting -= 1;
        is_right.then_some(())
    }

    fn in_groups(&mut self, operator: &OperatorNode, building: &mut Building) -> Option<()> {
        if let Some((name, instead)) = refused_in_groups(&operator.kind) {
            let message = format!("{name} inside of mv-apply and partition is not supported yet; {instead}");
            self.problem(Code::NotSupported, operator.span, message);
            return None;
        }
        self.count_step(operator.span)?;
        self.operator(operator, building)?;
        self.count_expression(operator.span, building.plan.schema().columns.len())
    }

    /// Makes a row of each element. Its position is kept, so that elements stay in their order. Gives the columns of
    /// the rows that their own elements stand for.
    fn expand_elements(
        &mut self,
        node: &ExpandNode,
        building: &mut Building,
        span: Span,
    ) -> Option<Vec<usize>> {
        let input = building.schema().clone();
        let expansion = self.expansion(node, &input)?;
        let position = Column::new(self.hidden_name(), ScalarType::Long);
        let mut groups = building.groups.take()?;
        let carried = building.plan.schema().clone();
        let Expanded { arrays, names, limit } = expansion;
        let replaced = node.items.iter().zip(&arrays).filter_map(|((item, _), array)| match array.kind {
            ExprKind::Column(at) if item.names.is_empty() => Some(at),
            _ => None,
        });
        let replaced = replaced.collect();

        let first = carried.columns.len();
        let mut schema = carried.clone();
        let hidden = (0..arrays.len()).map(|at| Column::new(format!("$array{at}"), ScalarType::Dynamic));
        schema.columns.extend(hidden);
        schema.columns.push(position.clone());
        let at_position = schema.columns.len() - 1;
        let expand = Expand { arrays, makes_pairs: false, limit, has_index: true };
        building.push_plain(Operator::Expand(expand), schema.clone(), span);

        let mut columns = Self::columns_as_they_are(&input, span);
        put_elements(&mut columns, node, &names, first, span);
        if let Some(index) = &node.index {
            put(&mut columns, &index.text, column(&schema, at_position, span).expr);
        }
        groups.visible = Self::schema_of(&columns);
        groups.kept.push(position);
        let behind = (input.columns.len()..first).chain([at_position]);
        columns.extend(behind.map(|at| column(&schema, at, span)));
        let schema = Self::schema_of(&columns);
        let kind = ExprKind::Column(schema.columns.len() - 1);
        let position = Expr { kind, ty: ScalarType::Long, span };
        building.push_plain(Operator::Project(columns), schema, span);
        building.groups = Some(groups);
        building.is_serialized = true;
        let order = vec![SortKey { expr: position, is_descending: false, nulls_first: true }];
        building.ordered = Some((building.plan.steps.len(), order));
        Some(replaced)
    }

    /// A name for a column that no query can name.
    pub(super) fn hidden_name(&mut self) -> String {
        self.hidden += 1;
        format!("$hidden{}", self.hidden)
    }
}
