//! Functions over property bags and other dynamic values.

use super::table::{fixed, prefixed, shaped, variadic};
use super::{FunctionEntry, Parameter, Shape};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{Any, AnyAsDynamic, Text};
use ScalarType::{Bool, Dynamic, String as Str};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    fixed("bag_has_key", Function::BagHasKey, &[Parameter::Dynamic("bag"), Text("key")], 2, Bool, "Whether a bag has a property, by name or by path."),
    fixed("bag_keys", Function::BagKeys, &[Parameter::Dynamic("bag")], 1, Dynamic, "The names of the properties of a bag."),
    variadic("bag_merge", Function::BagMerge, &[Parameter::Dynamic("bag")], Parameter::Dynamic("bag"), 2, Dynamic, "The properties of several bags; of two with one name that of the first."),
    shaped("bag_pack", Shape::Pairs, "A bag of names and values."),
    fixed("bag_remove_keys", Function::BagRemoveKeys, &[Parameter::Dynamic("bag"), Parameter::Dynamic("keys")], 2, Dynamic, "A bag without some properties, by name or by path."),
    fixed("bag_set_key", Function::BagSetKey, &[Parameter::Dynamic("bag"), Text("key"), AnyAsDynamic("value")], 3, Dynamic, "A bag with a property set, by name or by path."),
    fixed("bag_zip", Function::BagZip, &[Parameter::Dynamic("keys"), Parameter::Dynamic("values")], 2, Dynamic, "A bag with the names of one array and the values of another."),
    fixed("dynamic_to_json", Function::DynamicToJson, &[Parameter::Dynamic("value")], 1, Str, "The JSON text of a value, with the properties ordered by name."),
    shaped("pack", Shape::Pairs, "The same as `bag_pack`."),
    shaped("pack_all", Shape::PackAll, "A bag of all columns."),
    shaped("pack_dictionary", Shape::Pairs, "The same as `bag_pack`."),
    prefixed("tree", fixed("treepath", Function::TreePath, &[Parameter::Dynamic("value")], 1, Dynamic, "The paths to all values inside of a dynamic value.")),
    prefixed("type", fixed("gettype", Function::GetType, &[Any("value")], 1, Str, "The type of a value, looking into a dynamic one.")),
];
