//! Lists by keyset: conditions an index serves, conditions that are searched, one order that ends in
//! the id, and where to go on from.

use super::sql::{Sql, Value, sql_built};

/// Rows that are looked at, in list order, for a condition that no index serves. A page says so.
pub const EXAMINED: usize = 10_000;

/// What a list is sorted by: a column of the list's own table.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub column: &'static str,
    pub descending: bool,
}

/// A list being put together from fixed pieces of SQL; values only ever go through parameters.
pub struct Listing {
    columns: &'static str,
    table: &'static str,
    alias: &'static str,
    joins: &'static str,
    order: Order,
    indexed: Vec<String>,
    searched: Vec<String>,
    values: Vec<Value>,
    at: Option<(bool, Value, i64)>,
}

impl Listing {
    pub fn new(
        columns: &'static str,
        table: &'static str,
        alias: &'static str,
        joins: &'static str,
        order: Order,
    ) -> Self {
        Self {
            columns,
            table,
            alias,
            joins,
            order,
            indexed: Vec::new(),
            searched: Vec::new(),
            values: Vec::new(),
            at: None,
        }
    }

    fn numbered(&mut self, condition: &str, value: Value) -> String {
        self.values.push(value);
        condition.replace('?', &format!("${}", self.values.len()))
    }

    /// A condition on the list's own table that an index serves, with `?` for its value.
    pub fn and(mut self, condition: &str, value: impl Into<Value>) -> Self {
        let condition = self.numbered(condition, value.into());
        self.indexed.push(condition);
        self
    }

    /// An indexed condition with a `?` for each of several values, in order.
    pub fn and_each(mut self, condition: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let mut text = String::with_capacity(condition.len() + 8);
        let mut pieces = condition.split('?');
        text.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            self.values.push(value);
            text.push_str(&format!("${}{piece}", self.values.len()));
        }
        self.indexed.push(text);
        self
    }

    /// An indexed condition without a value.
    pub fn and_plain(mut self, condition: &str) -> Self {
        self.indexed.push(condition.to_owned());
        self
    }

    /// A condition that no index serves: at most [`EXAMINED`] rows are looked at for it.
    pub fn search(mut self, condition: &str, value: impl Into<Value>) -> Self {
        let condition = self.numbered(condition, value.into());
        self.searched.push(condition);
        self
    }

    /// A searched condition without a value.
    pub fn search_plain(mut self, condition: &str) -> Self {
        self.searched.push(condition.to_owned());
        self
    }

    /// Whether rows may have been left unlooked at.
    pub fn is_searched(&self) -> bool {
        !self.searched.is_empty()
    }

    /// Starts behind a row, or (backwards) before it.
    pub fn from_row(mut self, forward: bool, value: impl Into<Value>, id: i64) -> Self {
        self.at = Some((forward, value.into(), id));
        self
    }

    /// The statement that counts the rows, to `most` and one more.
    pub fn count(mut self, most: usize) -> Sql {
        self.columns = "1 AS one";
        self.at = None;
        let (text, values) = self.text(most + 1);
        sql_built(format!("SELECT count(*) FROM ({text}) counted")).bind_all(values)
    }

    /// The statement for `limit` rows. Read backwards, they come in reverse order.
    pub fn build(self, limit: usize) -> Sql {
        let (text, values) = self.text(limit);
        sql_built(text).bind_all(values)
    }

    fn text(mut self, limit: usize) -> (String, Vec<Value>) {
        let Order { column, descending } = self.order;
        let forward = self.at.as_ref().is_none_or(|(forward, ..)| *forward);
        let down = descending == forward;
        let key = format!("{0}.{column}, {0}.id", self.alias);
        if let Some((_, value, id)) = self.at.take() {
            self.values.push(value);
            self.values.push(id.into());
            let n = self.values.len();
            let sign = if down { '<' } else { '>' };
            self.indexed.push(format!("({key}) {sign} (${}, ${n})", n - 1));
        }
        let direction = if down { "DESC" } else { "ASC" };
        let order = format!("ORDER BY {0}.{column} {direction}, {0}.id {direction}", self.alias);
        let and =
            |conditions: &[String]| if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
        let (columns, table, alias, joins) = (self.columns, self.table, self.alias, self.joins);
        let indexed = and(&self.indexed);
        let text = if self.searched.is_empty() {
            format!("SELECT {columns} FROM {table} {alias} {joins} WHERE {indexed} {order} LIMIT {limit}")
        } else {
            let searched = and(&self.searched);
            format!(
                "SELECT {columns} FROM (SELECT * FROM {table} {alias} WHERE {indexed} {order} LIMIT {EXAMINED}) {alias} {joins}
                  WHERE {searched} {order} LIMIT {limit}"
            )
        };
        (text, self.values)
    }
}
