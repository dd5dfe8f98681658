//! What the names that a query declares stand for, block by block.
//!
//! The text is a block, and so is each call of a function: its parameters and its own declarations. A block sees what
//! was declared around its function, up to the place where the function stands, so that no function can call itself.

use std::collections::BTreeMap;

use crate::ast::FunctionNode;
use crate::plan::{Expr, Plan};

/// What a declared name stands for.
#[derive(Debug)]
pub(super) enum Let<'a> {
    /// A value.
    Scalar {
        /// What computes it. Only that of a parameter refers to columns.
        expr: Expr,
        /// In which row of which pipeline its columns are, if it has any.
        rows: usize,
    },
    /// A table.
    Table {
        /// What gives its rows.
        plan: Box<Plan>,
        /// Whether they have an order that counts.
        is_serialized: bool,
    },
    /// A function.
    Function(Function<'a>),
    /// It could not be bound, and that was said.
    Unknown,
}

/// A function that the query declares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function<'a> {
    pub(super) node: &'a FunctionNode,
    /// What it sees.
    pub(super) place: Place,
    /// Whether a call gives a table, and no value.
    pub(super) gives_table: bool,
}

/// A place in a block: what was declared in it before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    block: usize,
    visible: usize,
}

#[derive(Debug, Default)]
struct Block<'a> {
    /// The meaning of each name, and how many were declared before it.
    names: BTreeMap<String, (usize, Let<'a>)>,
    around: Option<Place>,
}

/// All blocks that are open, the last one innermost.
#[derive(Debug)]
pub(super) struct Lets<'a> {
    blocks: Vec<Block<'a>>,
}

impl<'a> Lets<'a> {
    pub(super) fn new() -> Self {
        Self { blocks: vec![Block::default()] }
    }

    /// The meaning of a name here.
    pub(super) fn find(&self, name: &str) -> Option<&Let<'a>> {
        let mut place = Some(self.here());
        while let Some(Place { block, visible }) = place {
            let block = &self.blocks[block];
            if let Some((order, meaning)) = block.names.get(name)
                && *order < visible
            {
                return Some(meaning);
            }
            place = block.around;
        }
        None
    }

    /// Gives a name its meaning in the innermost block; false if it has one there.
    pub(super) fn declare(&mut self, name: &str, meaning: Let<'a>) -> bool {
        let last = self.blocks.len() - 1;
        let names = &mut self.blocks[last].names;
        let order = names.len();
        match names.contains_key(name) {
            true => false,
            false => {
                names.insert(name.to_owned(), (order, meaning));
                true
            }
        }
    }

    /// Gives a name its meaning in the innermost block, whatever it meant before.
    pub(super) fn replace(&mut self, name: &str, meaning: Let<'a>) {
        let last = self.blocks.len() - 1;
        let names = &mut self.blocks[last].names;
        let order = names.len();
        names.insert(name.to_owned(), (order, meaning));
    }

    pub(super) fn here(&self) -> Place {
        let block = self.blocks.len() - 1;
        Place { block, visible: self.blocks[block].names.len() }
    }

    /// Opens a block that sees what is visible at a place.
    pub(super) fn open(&mut self, around: Place) {
        self.blocks.push(Block { names: BTreeMap::new(), around: Some(around) });
    }

    /// Closes the innermost block.
    pub(super) fn close(&mut self) {
        self.blocks.pop();
    }

    /// The names that mean something here, with their meanings; for suggestions and wildcards.
    pub(super) fn visible(&self) -> Vec<(&str, &Let<'a>)> {
        let mut found = Vec::new();
        let mut place = Some(self.here());
        while let Some(Place { block, visible }) = place {
            let block = &self.blocks[block];
            let names = block.names.iter().filter(|(_, (order, _))| *order < visible);
            found.extend(names.map(|(name, (_, meaning))| (name.as_str(), meaning)));
            place = block.around;
        }
        found
    }
}
