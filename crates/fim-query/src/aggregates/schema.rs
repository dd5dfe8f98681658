//! `buildschema`: what types the values of a group have, and those of their properties and elements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use serde_json::{Map, Value as Json};

/// `kql_buildschema(value)`
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct BuildSchema {
    signature: Signature,
}

impl BuildSchema {
    pub const NAME: &'static str = "kql_buildschema";

    pub fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for BuildSchema {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[schema]", args.name), DataType::Utf8View, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Types>::default())
    }
}

/// The types of the values in one place.
#[derive(Debug, Default)]
struct Types {
    plain: BTreeSet<String>,
    members: BTreeMap<String, Types>,
    elements: Option<Box<Types>>,
}

impl Types {
    fn add(&mut self, value: &Json) {
        let plain = match value {
            Json::Null => return,
            Json::Bool(_) => "bool",
            Json::Number(number) if number.is_i64() => "long",
            Json::Number(_) => "double",
            Json::String(_) => "string",
            Json::Array(elements) => {
                let types = self.elements.get_or_insert_default();
                elements.iter().for_each(|element| types.add(element));
                return;
            }
            Json::Object(members) => {
                for (name, value) in members {
                    self.members.entry(name.clone()).or_default().add(value);
                }
                return;
            }
        };
        if !self.plain.contains(plain) {
            self.plain.insert(plain.to_owned());
        }
    }

    /// Adds what [`Types::to_json`] wrote.
    fn add_written(&mut self, written: &Json) {
        match written {
            Json::String(plain) => {
                self.plain.insert(plain.clone());
            }
            Json::Array(several) => several.iter().for_each(|one| self.add_written(one)),
            Json::Object(members) => {
                for (name, types) in members {
                    match name.as_str() {
                        ELEMENTS => self.elements.get_or_insert_default().add_written(types),
                        name => self.members.entry(name.to_owned()).or_default().add_written(types),
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn to_json(&self) -> Json {
        let mut inner = Map::new();
        if let Some(elements) = &self.elements {
            inner.insert(ELEMENTS.to_owned(), elements.to_json());
        }
        inner.extend(self.members.iter().map(|(name, types)| (name.clone(), types.to_json())));
        let mut all: Vec<Json> = Vec::new();
        if !inner.is_empty() {
            all.push(Json::Object(inner));
        }
        all.extend(self.plain.iter().map(|plain| Json::String(plain.clone())));
        if all.len() == 1 { all.remove(0) } else { Json::Array(all) }
    }

    fn bytes(&self) -> usize {
        let members: usize = self.members.iter().map(|(name, types)| name.len() + types.bytes()).sum();
        size_of::<Self>()
            + 64 * self.plain.len()
            + members
            + self.elements.as_ref().map_or(0, |types| types.bytes())
    }
}

fn foreign() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("a schema was given values of another type: the plan and the function disagree")
}

fn each(columns: &[ArrayRef], mut add: impl FnMut(&Json)) -> Result<()> {
    let [values] = columns else { return Err(foreign()) };
    let values = values.as_string_view_opt().ok_or_else(foreign)?;
    for text in values.iter().flatten() {
        add(&serde_json::from_str(text).unwrap_or(Json::Null));
    }
    Ok(())
}

impl Accumulator for Types {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        each(columns, |value| self.add(value))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Utf8View(Some(self.to_json().to_string())))
    }

    fn size(&self) -> usize {
        self.bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        each(states, |written| self.add_written(written))
    }
}

/// What stands for the elements of an array, as in the original.
const ELEMENTS: &str = "`indexer`";
