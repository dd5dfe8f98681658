//! Calls of functions.

use super::aggregate::NestedAggregate;
use super::coerce;
use super::expression::{Scope, literal};
use super::function::CallNode;
use super::special::element;
use super::{Binder, Let, fold};
use crate::ast::{Name, NamedNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::function::Function;
use crate::plan::{Arithmetic, Expr, ExprKind};
use crate::registry::{self, Parameter, Shape};
use crate::suggest::{FUNCTIONS_ELSEWHERE, nearest, not_yet, there_is_instead};
use crate::time::TimeSpan;
use crate::types::{ScalarType, Value};

impl Binder<'_> {
    pub(super) fn call(
        &mut self,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        if let Some(Let::Function(declared)) = self.lets.find(&function.text) {
            let declared = *declared;
            let call = CallNode { name: &function.text, arguments, span };
            return self.call_for_value(declared, call, scope);
        }
        if function.text == "toscalar" {
            return self.scalar_of_query(arguments, span);
        }
        if let Some(entry) = registry::window(&function.text) {
            return self.window(entry, function, arguments, span, scope);
        }
        if let Some(entry) = registry::aggregate(&function.text) {
            return match self.nested_aggregate(entry, function, arguments, span, scope) {
                NestedAggregate::Column(expr) => Some(expr),
                NestedAggregate::Wrong => None,
            };
        }
        let Some(entry) = registry::function(&function.text) else {
            self.unknown_function(function, scope.collector.is_some());
            return None;
        };
        if let Some(name) = arguments.iter().find_map(|argument| argument.names.first()) {
            let message = format!("the arguments of {} have no names", function.text);
            self.problem(Code::Syntax, name.span, message);
            return None;
        }
        match entry.shape {
            Shape::Typed { .. } => return self.typed(entry.shape, function, arguments, span, scope),
            Shape::Assert => return self.assert(function, arguments, span, scope),
            Shape::ColumnNames => return self.column_names(function, arguments, span),
            Shape::DataSize => return self.data_size(arguments, span, scope),
            Shape::Columns { .. } => {
                let message = format!(
                    "{0} gives several columns and cannot be an operand; write {0}(…) alone, or {0}_dynamic(…)",
                    function.text
                );
                self.problem(Code::TypeMismatch, function.span, message);
                return None;
            }
            Shape::ColumnIfExists => return self.column_if_exists(function, arguments, span, scope),
            Shape::PackAll => return self.pack_all(function, arguments, span, scope),
            _ => {}
        }
        let bound: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.expr(&argument.expr, scope)).collect();
        let bound = bound.into_iter().collect::<Option<Vec<Expr>>>();
        let (least, most) = arity(entry.shape);
        if !(least..=most).contains(&arguments.len()) || is_odd_one_missing(entry.shape, arguments.len()) {
            self.wrong_count(function, least, most, arguments.len());
            return None;
        }
        self.shaped(entry.shape, &function.text, bound?, span)
    }

    fn unknown_function(&mut self, function: &Name, is_aggregating: bool) {
        let name = function.text.as_str();
        if registry::is_known(name) {
            self.problem(Code::NotSupported, function.span, not_yet(&format!("'{name}'"), ""));
            return;
        }
        let functions = registry::functions().map(|entry| entry.name);
        let aggregates = registry::AGGREGATES.iter().map(|entry| entry.name);
        let windows = registry::WINDOWS.iter().map(|entry| entry.name);
        let visible = self.lets.visible();
        let declared = visible.iter().filter(|(_, meaning)| matches!(meaning, Let::Function(_)));
        let declared = declared.map(|(name, _)| *name);
        let mut names: Vec<&str> = functions.chain(aggregates).chain(windows).chain(declared).collect();
        if is_aggregating {
            // Of the names that are equally near the first is proposed: `cont` is `count` here, and not `cot`.
            names.sort_by_key(|name| registry::aggregate(name).is_none());
        }
        let suggestion = nearest(name, names.iter().copied());
        let message = match (ScalarType::from_name(name), &suggestion) {
            (Some(ty), _) => format!("{name}(…) takes a literal; to compute the value write to{ty}(…)"),
            (None, Some(_)) => format!("there is no function '{name}'"),
            (None, None) => {
                let instead = there_is_instead(name, FUNCTIONS_ELSEWHERE, names);
                format!("there is no function '{name}'{instead}")
            }
        };
        self.problems
            .push(Problem::new(Code::UnknownFunction, function.span, message).suggesting(suggestion));
    }

    pub(super) fn wrong_count(&mut self, function: &Name, least: usize, most: usize, found: usize) {
        let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
        let wanted = match (least, most) {
            (least, most) if least == most => format!("{least} {}", plural(least)),
            (least, usize::MAX) => format!("at least {least} {}", plural(least)),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let odd = match registry::function(&function.text).map(|entry| entry.shape) {
            Some(Shape::Case) => ", in pairs and one more",
            Some(Shape::Pairs) => ", in pairs",
            Some(_) | None => "",
        };
        let message = format!("{} takes {wanted}{odd}, not {found}", function.text);
        self.problem(Code::ArgumentCount, function.span, message);
    }

    fn shaped(&mut self, shape: Shape, name: &str, mut arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let of =
            |function, arguments, ty| Some(Expr { kind: ExprKind::Call { function, arguments }, ty, span });
        match shape {
            Shape::Fixed { function, parameters, result, .. } => {
                let arguments = self.fixed(name, parameters, arguments)?;
                let is_weeks = function == Function::DateTimeDiff && is_text(arguments.first(), "week");
                let call = of(function, arguments, result)?;
                // The original counts weeks as a real, and everything else as a long.
                Some(if is_weeks { call.convert_to(ScalarType::Real) } else { call })
            }
            Shape::Variadic { function, fixed, rest, result, .. } => {
                let parameters = fixed.iter().copied().chain(std::iter::repeat(rest));
                let parameters: Vec<Parameter> = parameters.take(arguments.len()).collect();
                of(function, self.fixed(name, &parameters, arguments)?, result)
            }
            Shape::ExtractAll => self.extract_all(name, arguments, span),
            Shape::Replace => {
                let parameters = [Parameter::Regex, Parameter::Text("rewrite"), Parameter::Text("text")];
                let mut arguments = self.fixed(name, &parameters, arguments)?;
                arguments.rotate_right(1);
                of(Function::ReplaceRegex, arguments, ScalarType::String)
            }
            Shape::ArraySort { is_descending } => {
                let sorted = self.array_sort(name, is_descending, arguments, span)?;
                Some(element(sorted, 0))
            }
            Shape::Pairs => {
                let texts_and_values = [Parameter::Text("name"), Parameter::AnyAsDynamic("value")];
                let parameters: Vec<Parameter> =
                    texts_and_values.into_iter().cycle().take(arguments.len()).collect();
                of(Function::BagPack, self.fixed(name, &parameters, arguments)?, ScalarType::Dynamic)
            }
            Shape::Range => self.range_array(name, arguments, span),
            Shape::Hash => self.hash(name, arguments, span),
            Shape::Texts { function, .. } => {
                let texts = arguments.into_iter().map(|argument| argument.convert_to(ScalarType::String));
                of(function, texts.collect(), ScalarType::String)
            }
            Shape::Common { function, is_ordered } => {
                let ty = self.common(name, is_ordered, &arguments)?;
                of(function, convert_all(arguments, ty), ty)
            }
            Shape::Rounding { function, has_digits } => {
                let ty = self.number(name, arguments.first()?)?;
                if has_digits && arguments.len() == 2 {
                    let digits = arguments.pop()?;
                    arguments.push(self.parameter(name, Parameter::Whole("digits"), digits)?);
                }
                of(function, arguments, ty)
            }
            Shape::Magnitude => {
                let argument = arguments.pop()?;
                let ty = match argument.ty {
                    ScalarType::TimeSpan => ScalarType::TimeSpan,
                    ScalarType::Int => ScalarType::Long,
                    _ => self.number(name, &argument)?,
                };
                of(Function::Abs, vec![argument.convert_to(ty)], ty)
            }
            Shape::Bin | Shape::BinAt => self.bin(name, arguments, span),
            Shape::BinAuto => self.bin_auto(name, arguments, span),
            Shape::Convert(ty) => {
                let argument = arguments.pop()?;
                if ty == ScalarType::Guid
                    && !matches!(argument.ty, ScalarType::String | ScalarType::Dynamic | ScalarType::Guid)
                {
                    self.mismatch(name, "string or dynamic", &argument);
                    return None;
                }
                Some(Expr { span, ..argument.convert_to(ty) })
            }
            Shape::ParseJson => {
                let argument = arguments.pop()?;
                match argument.ty {
                    ScalarType::Dynamic => Some(argument),
                    ScalarType::String => of(Function::ParseJson, vec![argument], ScalarType::Dynamic),
                    _ => {
                        self.mismatch(name, "string or dynamic", &argument);
                        None
                    }
                }
            }
            Shape::Iff | Shape::Case => self.choice(name, arguments, span),
            Shape::Not => {
                let argument = arguments.pop()?;
                if argument.ty != ScalarType::Bool {
                    self.mismatch(name, "bool", &argument);
                    return None;
                }
                Some(Expr { kind: ExprKind::Not(Box::new(argument)), ty: ScalarType::Bool, span })
            }
            Shape::Now => self.moment(Arithmetic::Add, name, arguments.pop(), span),
            Shape::Ago => self.moment(Arithmetic::Subtract, name, arguments.pop(), span),
            // They look at the names or types that are written, so that they are bound before.
            Shape::Typed { .. }
            | Shape::ColumnIfExists
            | Shape::PackAll
            | Shape::Columns { .. }
            | Shape::Assert
            | Shape::ColumnNames
            | Shape::DataSize => None,
        }
    }

    pub(super) fn mismatch(&mut self, function: &str, accepts: &str, argument: &Expr) {
        let hint = match (accepts, argument.ty) {
            ("timespan", ScalarType::Int | ScalarType::Long | ScalarType::Real) => &*with_a_unit(argument),
            ("string", ScalarType::Dynamic) => "; convert it with tostring(…)",
            ("string", _) => "; convert it with tostring(…)",
            ("datetime", ScalarType::String) => "; convert it with todatetime(…)",
            ("bool", ScalarType::Dynamic) => "; convert it with tobool(…)",
            ("a number" | "int or long", ScalarType::String | ScalarType::Dynamic) => {
                "; convert it with tolong(…) or toreal(…)"
            }
            _ => "",
        };
        let message = format!("{function} needs {accepts} here, not {}{hint}", argument.ty);
        self.problem(Code::TypeMismatch, argument.span, message);
    }

    pub(super) fn fixed(
        &mut self,
        name: &str,
        parameters: &[Parameter],
        arguments: Vec<Expr>,
    ) -> Option<Vec<Expr>> {
        let converted: Vec<Option<Expr>> = parameters
            .iter()
            .zip(arguments)
            .map(|(parameter, argument)| self.parameter(name, *parameter, argument))
            .collect();
        converted.into_iter().collect()
    }

    pub(super) fn parameter(&mut self, function: &str, parameter: Parameter, argument: Expr) -> Option<Expr> {
        let ty = argument.ty;
        let wanted = match parameter {
            Parameter::Any(_) => Some(ty),
            Parameter::AnyAsText(_) => Some(ScalarType::String),
            Parameter::Regex => {
                self.check_regex(&argument)?;
                matches!(ty, ScalarType::String | ScalarType::Dynamic).then_some(ScalarType::String)
            }
            Parameter::Text(_) => {
                matches!(ty, ScalarType::String | ScalarType::Dynamic).then_some(ScalarType::String)
            }
            Parameter::Dynamic(_) => (ty == ScalarType::Dynamic).then_some(ScalarType::Dynamic),
            Parameter::AnyAsDynamic(_) => Some(ScalarType::Dynamic),
            Parameter::Guid(_) => (ty == ScalarType::Guid).then_some(ScalarType::Guid),
            Parameter::OneOf(_, allowed) => return self.one_of(function, allowed, argument),
            Parameter::Whole(_) => ty.is_integer().then_some(ScalarType::Long),
            Parameter::Number(_) => ty.is_number().then_some(ScalarType::Real),
            Parameter::Moment(_) => (ty == ScalarType::DateTime).then_some(ScalarType::DateTime),
            Parameter::Length(_) => (ty == ScalarType::TimeSpan).then_some(ScalarType::TimeSpan),
        };
        match wanted {
            Some(wanted) => Some(argument.convert_to(wanted)),
            None => {
                self.mismatch(function, parameter.accepts(), &argument);
                None
            }
        }
    }

    /// A constant text that must be one of a few.
    fn one_of(&mut self, function: &str, allowed: &[&str], argument: Expr) -> Option<Expr> {
        if let ExprKind::Literal(Value::String(text)) = &argument.kind {
            if allowed.contains(&text.as_str()) || allowed.contains(&text.to_ascii_lowercase().as_str()) {
                return Some(argument);
            }
            let message = format!("{function} does not know '{text}'");
            let problem = Problem::new(Code::InvalidConstant, argument.span, message);
            let suggestion = nearest(text, allowed.iter().copied());
            self.problems.push(problem.expecting(allowed.iter().copied()).suggesting(suggestion));
        } else {
            let message = format!("{function} needs a constant text here");
            let problem = Problem::new(Code::InvalidConstant, argument.span, message);
            self.problems.push(problem.expecting(allowed.iter().copied()));
        }
        None
    }

    fn number(&mut self, function: &str, argument: &Expr) -> Option<ScalarType> {
        let ty = argument.ty;
        if !ty.is_number() {
            self.mismatch(function, "a number", argument);
        }
        ty.is_number().then_some(ty)
    }

    fn common(&mut self, name: &str, is_ordered: bool, arguments: &[Expr]) -> Option<ScalarType> {
        let types: Vec<ScalarType> = arguments.iter().map(|argument| argument.ty).collect();
        let first = *types.first()?;
        let same = types.iter().all(|ty| *ty == first).then_some(first);
        match same.or_else(|| coerce::widest(&types)) {
            Some(ty) if !is_ordered || coerce::is_ordered(ty) => Some(ty),
            Some(ty) => {
                self.problem(
                    Code::TypeMismatch,
                    arguments[0].span,
                    format!("values of type {ty} have no order"),
                );
                None
            }
            None => {
                let odd = arguments.iter().find(|argument| argument.ty != first).unwrap_or(&arguments[0]);
                let message =
                    format!("all arguments of {name} have one type; this is {}, the first {first}", odd.ty);
                self.problem(Code::TypeMismatch, odd.span, message);
                None
            }
        }
    }

    pub(super) fn bin(&mut self, name: &str, arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let types: Vec<ScalarType> = arguments.iter().map(|argument| argument.ty).collect();
        let (value_ty, size_ty) = match types.as_slice() {
            [ScalarType::DateTime, ScalarType::TimeSpan] => (ScalarType::DateTime, ScalarType::TimeSpan),
            [ScalarType::DateTime, ScalarType::TimeSpan, ScalarType::DateTime] => {
                (ScalarType::DateTime, ScalarType::TimeSpan)
            }
            types if types.iter().all(|ty| *ty == ScalarType::TimeSpan) => {
                (ScalarType::TimeSpan, ScalarType::TimeSpan)
            }
            types => match coerce::widest(types).and_then(|ty| coerce::widest(&[ty, ScalarType::Long])) {
                Some(ty) => (ty, ty),
                None => {
                    let list: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
                    let message = format!(
                        "{name} rounds numbers to numbers, and datetimes and timespans to timespans, not {}",
                        list.join(", ")
                    );
                    self.problem(Code::TypeMismatch, span, message);
                    return None;
                }
            },
        };
        if let ExprKind::Literal(size) = &arguments.get(1)?.kind
            && is_not_positive(size)
        {
            let message = format!("the size of {name} must be above zero");
            self.problem(Code::InvalidConstant, arguments[1].span, message);
            return None;
        }
        let function = if arguments.len() == 3 { Function::BinAt } else { Function::Bin };
        let convert = |(position, argument): (usize, Expr)| {
            argument.convert_to(if position == 1 { size_ty } else { value_ty })
        };
        let arguments = arguments.into_iter().enumerate().map(convert).collect();
        Some(Expr { kind: ExprKind::Call { function, arguments }, ty: value_ty, span })
    }

    /// `iff(c, a, b)` and `case(c1, a, c2, b, …, z)`.
    fn choice(&mut self, name: &str, mut arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let otherwise = arguments.pop()?;
        let mut branches = Vec::new();
        let mut is_right = true;
        let mut rest = arguments.into_iter();
        while let (Some(condition), Some(value)) = (rest.next(), rest.next()) {
            if condition.ty != ScalarType::Bool {
                self.mismatch(name, "bool", &condition);
                is_right = false;
            }
            branches.push((condition, value));
        }
        let values = branches.iter().map(|(_, value)| value.ty).chain([otherwise.ty]);
        let ty = coerce::choice(&values.collect::<Vec<_>>());
        let branches =
            branches.into_iter().map(|(condition, value)| (condition, value.convert_to(ty))).collect();
        let kind = ExprKind::Case { branches, otherwise: Box::new(otherwise.convert_to(ty)) };
        is_right.then_some(Expr { kind, ty, span })
    }

    /// The moment of the query, plus or minus a length of time.
    fn moment(&mut self, operator: Arithmetic, name: &str, offset: Option<Expr>, span: Span) -> Option<Expr> {
        let now = literal(Value::DateTime(self.now), ScalarType::DateTime, span);
        let Some(offset) = offset else { return Some(now) };
        let offset = self.parameter(name, Parameter::Length("offset"), offset)?;
        if let ExprKind::Literal(value) = &offset.kind
            && let Some(value) = fold::arithmetic(operator, &Value::DateTime(self.now), value)
        {
            return Some(literal(value, ScalarType::DateTime, span));
        }
        let (left, right) = (Box::new(now), Box::new(offset));
        Some(Expr { kind: ExprKind::Arithmetic { operator, left, right }, ty: ScalarType::DateTime, span })
    }
}

/// What is said of a number where a timespan is needed: it lacks its unit.
fn with_a_unit(number: &Expr) -> String {
    let digits = match &number.kind {
        ExprKind::Literal(Value::Long(value)) => value.to_string(),
        ExprKind::Literal(Value::Int(value)) => value.to_string(),
        ExprKind::Literal(Value::Real(value)) => value.to_string(),
        _ => return "; give it a unit, as in x * 1d".to_owned(),
    };
    format!("; write {digits}d for days, {digits}h for hours")
}

/// The least and the largest number of arguments.
pub(crate) fn arity(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Fixed { parameters, required, .. } => (required, parameters.len()),
        Shape::Texts { fixed, .. } => (fixed + 1, fixed + 64),
        Shape::Common { .. } => (2, 64),
        Shape::Rounding { has_digits, .. } => (1, 1 + usize::from(has_digits)),
        Shape::Magnitude
        | Shape::BinAuto
        | Shape::Columns { .. }
        | Shape::ColumnNames
        | Shape::Convert(_)
        | Shape::ParseJson
        | Shape::Not
        | Shape::Ago => (1, 1),
        Shape::Bin | Shape::Assert => (2, 2),
        Shape::DataSize => (1, MOST_ARGUMENTS),
        Shape::BinAt | Shape::Iff | Shape::Replace => (3, 3),
        Shape::Typed { parameters, .. } => (parameters.len(), parameters.len() + 1),
        Shape::Variadic { required, .. } => (required, MOST_ARGUMENTS),
        Shape::ExtractAll | Shape::Range => (2, 3),
        Shape::ArraySort { .. } => (1, MOST_ARGUMENTS),
        Shape::Pairs => (2, MOST_ARGUMENTS),
        Shape::PackAll => (0, 1),
        Shape::ColumnIfExists => (2, 2),
        Shape::Hash => (1, 2),
        Shape::Case => (3, usize::MAX),
        Shape::Now => (0, 1),
    }
}

/// The most arguments of a function that takes any number.
const MOST_ARGUMENTS: usize = 1024;

/// Whether arguments are missing that belong together: a value for a condition, or a name without a value.
fn is_odd_one_missing(shape: Shape, count: usize) -> bool {
    match shape {
        Shape::Case => count.is_multiple_of(2),
        Shape::Pairs => !count.is_multiple_of(2),
        _ => false,
    }
}

fn is_text(argument: Option<&Expr>, wanted: &str) -> bool {
    match argument.map(|argument| &argument.kind) {
        Some(ExprKind::Literal(Value::String(text))) => text.eq_ignore_ascii_case(wanted),
        Some(_) | None => false,
    }
}

fn is_not_positive(size: &Value) -> bool {
    match size {
        Value::Int(size) => *size <= 0,
        Value::Long(size) => *size <= 0,
        Value::Real(size) => *size <= 0.0,
        Value::TimeSpan(TimeSpan(size)) => *size <= 0,
        Value::Null
        | Value::Bool(_)
        | Value::DateTime(_)
        | Value::String(_)
        | Value::Guid(_)
        | Value::Decimal(_)
        | Value::Dynamic(_) => false,
    }
}

fn convert_all(arguments: Vec<Expr>, ty: ScalarType) -> Vec<Expr> {
    arguments.into_iter().map(|argument| argument.convert_to(ty)).collect()
}
