//! Functions over arrays.

use super::table::{fixed, prefixed, shaped, variadic};
use super::{FunctionEntry, Parameter, Shape};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{AnyAsDynamic, Text, Whole};
use ScalarType::{Bool, Dynamic, Long, Real, String as Str};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    variadic("array_concat", Function::ArrayConcat, &[Parameter::Dynamic("array")], Parameter::Dynamic("array"), 1, Dynamic, "All elements of several arrays, one array after the other."),
    fixed("array_iff", Function::ArrayIff, &[Parameter::Dynamic("conditions"), AnyAsDynamic("if_true"), AnyAsDynamic("if_false")], 3, Dynamic, "For each condition the element beside it of one array or the other, or a value."),
    fixed("array_iif", Function::ArrayIff, &[Parameter::Dynamic("conditions"), AnyAsDynamic("if_true"), AnyAsDynamic("if_false")], 3, Dynamic, "The same as `array_iff`."),
    fixed("array_index_of", Function::ArrayIndexOf, &[Parameter::Dynamic("array"), AnyAsDynamic("value"), Whole("start"), Whole("length"), Whole("occurrence")], 2, Long, "The position of a value in an array, from 0, or -1."),
    fixed("array_length", Function::ArrayLength, &[Parameter::Dynamic("array")], 1, Long, "The number of elements of an array."),
    fixed("array_reverse", Function::ArrayReverse, &[Parameter::Dynamic("array")], 1, Dynamic, "The elements in reverse order."),
    fixed("array_rotate_left", Function::ArrayRotateLeft, &[Parameter::Dynamic("array"), Whole("places")], 2, Dynamic, "The elements moved to the left, those that fall out put back at the end."),
    fixed("array_rotate_right", Function::ArrayRotateRight, &[Parameter::Dynamic("array"), Whole("places")], 2, Dynamic, "The elements moved to the right, those that fall out put back at the start."),
    fixed("array_shift_left", Function::ArrayShiftLeft, &[Parameter::Dynamic("array"), Whole("places"), AnyAsDynamic("fill")], 2, Dynamic, "The elements moved to the left, with a value in the places that become free."),
    fixed("array_shift_right", Function::ArrayShiftRight, &[Parameter::Dynamic("array"), Whole("places"), AnyAsDynamic("fill")], 2, Dynamic, "The elements moved to the right, with a value in the places that become free."),
    fixed("array_slice", Function::ArraySlice, &[Parameter::Dynamic("array"), Whole("start"), Whole("end")], 3, Dynamic, "The elements from one position up to and including another."),
    shaped("array_sort_asc", Shape::ArraySort { is_descending: false }, "The elements in ascending order; more arrays are put into the same order."),
    shaped("array_sort_desc", Shape::ArraySort { is_descending: true }, "The elements in descending order; more arrays are put into the same order."),
    fixed("array_split", Function::ArraySplit, &[Parameter::Dynamic("array"), AnyAsDynamic("positions")], 2, Dynamic, "An array of arrays, split at positions."),
    fixed("array_strcat", Function::StrcatArray, &[Parameter::Dynamic("array"), Text("delimiter")], 2, Str, "The same as `strcat_array`."),
    fixed("array_sum", Function::ArraySum, &[Parameter::Dynamic("array")], 1, Real, "The sum of the numbers of an array."),
    fixed("arraylength", Function::ArrayLength, &[Parameter::Dynamic("array")], 1, Long, "The same as `array_length`."),
    fixed("jaccard_index", Function::JaccardIndex, &[Parameter::Dynamic("set"), Parameter::Dynamic("other")], 2, Real, "How alike two sets are: the size of their intersection by that of their union."),
    variadic("pack_array", Function::PackArray, &[], AnyAsDynamic("value"), 1, Dynamic, "An array of the values."),
    shaped("range", Shape::Range, "An array that counts from one value up to another."),
    prefixed("repeat", fixed("repeat", Function::Repeat, &[AnyAsDynamic("value"), Whole("count")], 2, Dynamic, "An array with one value so many times.")),
    variadic("set_difference", Function::SetDifference, &[Parameter::Dynamic("set")], Parameter::Dynamic("other"), 2, Dynamic, "The different elements of the first array that no other has."),
    fixed("set_equals", Function::SetEquals, &[Parameter::Dynamic("set"), Parameter::Dynamic("other")], 2, Bool, "Whether two arrays have the same elements, in any order."),
    fixed("set_has_element", Function::SetHasElement, &[Parameter::Dynamic("set"), AnyAsDynamic("value")], 2, Bool, "Whether an array has an element."),
    variadic("set_intersect", Function::SetIntersect, &[Parameter::Dynamic("set")], Parameter::Dynamic("other"), 2, Dynamic, "The different elements that all arrays have."),
    variadic("set_union", Function::SetUnion, &[Parameter::Dynamic("set")], Parameter::Dynamic("other"), 2, Dynamic, "The different elements that any array has."),
    fixed("strcat_array", Function::StrcatArray, &[Parameter::Dynamic("array"), Text("delimiter")], 2, Str, "The elements as one text with a delimiter between them."),
    variadic("zip", Function::Zip, &[Parameter::Dynamic("array")], Parameter::Dynamic("array"), 2, Dynamic, "An array of arrays: the first elements, the second ones, and so on."),
];
