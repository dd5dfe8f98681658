//! The arguments of a call, as columns of the type that a kernel expects.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringViewArray,
    StringViewBuilder,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use super::memory::{Ledger, QueryMemory, Room};

/// One call of a function on some rows.
pub(crate) struct Call<'a> {
    pub arguments: &'a [ColumnarValue],
    /// How many rows the result must have.
    pub rows: usize,
    /// Where the memory of the result comes from.
    pub memory: Option<&'a QueryMemory>,
    /// What texts of the result may be no longer than.
    pub room: Room,
}

impl Call<'_> {
    /// Collects the texts of the result, one a row.
    ///
    /// # Errors
    ///
    /// Fails if a text is too long, or all of them need more memory than the query has.
    pub fn collect<T: AsRef<str>>(&self, texts: impl Iterator<Item = Option<T>>) -> Result<ArrayRef> {
        let mut builder = StringViewBuilder::new();
        let mut ledger = self.ledger();
        for text in texts {
            let bytes = text.as_ref().map_or(0, |text| text.as_ref().len());
            self.room.of(bytes);
            self.room.check()?;
            ledger.add(size_of::<u128>() + bytes)?;
            builder.append_option(text);
        }
        // An iterator may end with the row that was refused.
        self.room.check()?;
        Ok(Arc::new(ledger.keep(builder.finish())?))
    }

    /// Counts what the call makes.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger::new(self.memory)
    }

    /// How many arguments were given.
    pub fn len(&self) -> usize {
        self.arguments.len()
    }

    /// The argument as an array of any type.
    pub fn array(&self, position: usize) -> Result<ArrayRef> {
        self.argument(position)?.to_array(self.rows)
    }

    pub fn longs(&self, position: usize) -> Result<PrimitiveArray<Int64Type>> {
        self.primitives(position)
    }

    pub fn ints(&self, position: usize) -> Result<PrimitiveArray<Int32Type>> {
        self.primitives(position)
    }

    pub fn reals(&self, position: usize) -> Result<PrimitiveArray<Float64Type>> {
        self.primitives(position)
    }

    pub fn bools(&self, position: usize) -> Result<BooleanArray> {
        let array = self.array(position)?;
        array.as_boolean_opt().cloned().ok_or_else(|| unexpected_type(position, array.data_type()))
    }

    /// Moments in microseconds.
    pub fn moments(&self, position: usize) -> Result<PrimitiveArray<TimestampMicrosecondType>> {
        self.primitives(position)
    }

    /// The numbers of an optional argument, or `default` in every row.
    pub fn longs_or(&self, position: usize, default: i64) -> Result<PrimitiveArray<Int64Type>> {
        if position < self.len() {
            self.longs(position)
        } else {
            Ok(PrimitiveArray::from_value(default, self.rows))
        }
    }

    /// Texts, with the empty text for null.
    pub fn texts(&self, position: usize) -> Result<Texts> {
        match self.argument(position)? {
            ColumnarValue::Scalar(value) => {
                Ok(Texts::Constant(scalar_text(value).unwrap_or_default().to_owned()))
            }
            ColumnarValue::Array(array) => Ok(Texts::Column(view(array)?)),
        }
    }

    /// Texts where null is a value of its own, as in `dynamic` and `guid`.
    pub fn nullable_texts(&self, position: usize) -> Result<StringViewArray> {
        view(&self.array(position)?)
    }

    /// The text of an argument that is the same in every row; `None` if it is a column.
    pub fn constant_text(&self, position: usize) -> Result<Option<&str>> {
        match self.argument(position)? {
            ColumnarValue::Scalar(value) => Ok(Some(scalar_text(value).unwrap_or_default())),
            ColumnarValue::Array(_) => Ok(None),
        }
    }

    /// Answers a question about each text of a column; once for each different text where the column is a dictionary.
    pub fn test_texts(&self, position: usize, test: impl Fn(&str) -> bool) -> Result<ArrayRef> {
        if let ColumnarValue::Array(array) = self.argument(position)?
            && let Some(dictionary) = array.as_any_dictionary_opt()
        {
            let values = view(dictionary.values())?;
            let answers = BooleanArray::from(
                values.iter().map(|text| test(text.unwrap_or_default())).collect::<Vec<_>>(),
            );
            let answers = take(&answers, dictionary.keys(), None)?;
            let answers = answers.as_boolean();
            let of_null = test("");
            return Ok(Arc::new(BooleanArray::from_iter(
                answers.iter().map(|answer| Some(answer.unwrap_or(of_null))),
            )));
        }
        let texts = self.texts(position)?;
        let answers = BooleanBuffer::collect_bool(self.rows, |row| test(texts.get(row)));
        Ok(Arc::new(BooleanArray::new(answers, None)))
    }

    fn primitives<T: ArrowPrimitiveType>(&self, position: usize) -> Result<PrimitiveArray<T>> {
        let array = self.array(position)?;
        array.as_primitive_opt::<T>().cloned().ok_or_else(|| unexpected_type(position, array.data_type()))
    }

    fn argument(&self, position: usize) -> Result<&ColumnarValue> {
        self.arguments.get(position).ok_or_else(|| {
            exec_datafusion_err!("argument {position} is missing: the plan and the function disagree")
        })
    }
}

/// A column of texts, or one text for every row. No text is null.
pub(crate) enum Texts {
    Constant(String),
    Column(StringViewArray),
}

impl Texts {
    pub fn get(&self, row: usize) -> &str {
        match self {
            Self::Constant(text) => text,
            Self::Column(column) if column.is_null(row) => "",
            Self::Column(column) => column.value(row),
        }
    }
}

fn scalar_text(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Dictionary(_, value) => scalar_text(value),
        other => other.try_as_str().flatten(),
    }
}

fn view(array: &ArrayRef) -> Result<StringViewArray> {
    if let Some(view) = array.as_string_view_opt() {
        return Ok(view.clone());
    }
    Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
}

fn unexpected_type(position: usize, found: &DataType) -> datafusion::error::DataFusionError {
    exec_datafusion_err!("argument {position} has the type {found}: the plan and the function disagree")
}
