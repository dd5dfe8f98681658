//! The operands of expressions.

use super::{Expr, ExprKind};

impl Expr {
    /// Puts the operands of this expression behind what is in `out`, in order.
    pub fn children<'e>(&'e self, out: &mut Vec<&'e Expr>) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Column(_) | ExprKind::Constant(_) => {}
            ExprKind::Convert(inner) | ExprKind::Negate(inner) | ExprKind::Not(inner) => out.push(inner),
            ExprKind::Member { bag, .. } => out.push(bag),
            ExprKind::Arithmetic { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                out.extend([&**left, &**right]);
            }
            ExprKind::Match { text, pattern, .. } => out.extend([&**text, &**pattern]),
            ExprKind::Index { container, index } => out.extend([&**container, &**index]),
            ExprKind::And(operands) | ExprKind::Or(operands) => out.extend(operands),
            ExprKind::Call { arguments, .. } => out.extend(arguments),
            ExprKind::HasTerms { text, terms, .. } => {
                out.push(text);
                out.extend(terms);
            }
            ExprKind::In { value, list, .. } => {
                out.push(value);
                out.extend(list);
            }
            ExprKind::Between { value, low, high, .. } => out.extend([&**value, &**low, &**high]),
            ExprKind::Case { branches, otherwise } => {
                out.extend(branches.iter().flat_map(|(condition, value)| [condition, value]));
                out.push(otherwise);
            }
        }
    }

    /// Hands each operand to `change`, in order.
    pub(crate) fn children_mut(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Literal(_) | ExprKind::Column(_) | ExprKind::Constant(_) => {}
            ExprKind::Convert(inner) | ExprKind::Negate(inner) | ExprKind::Not(inner) => change(inner),
            ExprKind::Member { bag, .. } => change(bag),
            ExprKind::Arithmetic { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                change(left);
                change(right);
            }
            ExprKind::Match { text, pattern, .. } => {
                change(text);
                change(pattern);
            }
            ExprKind::Index { container, index } => {
                change(container);
                change(index);
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter_mut().for_each(change),
            ExprKind::Call { arguments, .. } => arguments.iter_mut().for_each(change),
            ExprKind::HasTerms { text, terms, .. } => {
                change(text);
                terms.iter_mut().for_each(change);
            }
            ExprKind::In { value, list, .. } => {
                change(value);
                list.iter_mut().for_each(change);
            }
            ExprKind::Between { value, low, high, .. } => {
                change(value);
                change(low);
                change(high);
            }
            ExprKind::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    change(condition);
                    change(value);
                }
                change(otherwise);
            }
        }
    }
}
