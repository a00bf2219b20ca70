//! Lists by keyset: conditions that an index serves, conditions that are searched, one order that ends in the
//! id, and the row to continue from.

use super::sql::{Conn, Sql, Value, sql_built};
use super::{Cursor, DbResult};
use crate::query::{Dates, ListQuery};

/// The most rows examined, in list order, for a condition that no index serves. The page says when this limit
/// was reached.
pub const EXAMINED: usize = 10_000;

/// The order of a list: a column of the list's own table, then the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub column: &'static str,
    is_text: bool,
    pub descending: bool,
}

impl Order {
    /// By a column of numbers.
    pub const fn number(column: &'static str, descending: bool) -> Self {
        Self { column, is_text: false, descending }
    }

    /// By a column of texts.
    pub const fn text(column: &'static str, descending: bool) -> Self {
        Self { column, is_text: true, descending }
    }

    /// The order that an address asks for: `name`, or `-name` from the largest down. `orders` has each with its
    /// name; the first one, as it stands, where the address asks for none of them.
    pub fn asked(query: &ListQuery, orders: &[(&str, Self)]) -> Self {
        let asked = query.get("sort");
        let found = orders.iter().find(|(name, _)| *name == asked.trim_start_matches('-'));
        match found {
            Some((_, order)) => Self { descending: asked.starts_with('-'), ..*order },
            None => orders.first().map_or(Self::number("created_at", true), |(_, order)| *order),
        }
    }
}

/// The result of examining some rows of a list: how many were examined, how many matched, and the first
/// matches from the list's position on, in its order. Several can be added up.
#[derive(Debug, Clone, Default)]
pub struct Look {
    pub seen: i64,
    pub hits: i64,
    /// The sort value as text, and the id.
    pub rows: Vec<(String, i64)>,
}

impl Look {
    /// Adds another result to this one.
    pub fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.hits += other.hits;
        self.rows.extend(other.rows);
    }
}

/// A list being put together from fixed pieces of SQL; values only ever go through parameters.
#[derive(Clone)]
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
    by: &'static str,
    within: &'static str,
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
            by: "id",
            within: "",
        }
    }

    /// The same rows with other columns, of the tables that are joined.
    pub fn showing(mut self, columns: &'static str) -> Self {
        self.columns = columns;
        self
    }

    /// For a list whose text is in another table: the column that refers to the list's rows, and the join.
    pub fn within(mut self, by: &'static str, join: &'static str) -> Self {
        (self.by, self.within) = (by, join);
        self
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
        let condition = self.numbered_each(condition, values);
        self.indexed.push(condition);
        self
    }

    fn numbered_each(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) -> String {
        let mut text = String::with_capacity(condition.len() + 8);
        let mut pieces = condition.split('?');
        text.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            self.values.push(value);
            text.push_str(&format!("${}{piece}", self.values.len()));
        }
        text
    }

    /// A searched condition with a `?` for each of several values, in order.
    pub fn search_each(mut self, condition: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let condition = self.numbered_each(condition, values);
        self.searched.push(condition);
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

    /// Examines as many rows as it takes: for background work.
    pub fn unbounded(mut self) -> Self {
        self.indexed.append(&mut self.searched);
        self
    }

    /// True when some rows may have been left unexamined.
    pub fn is_searched(&self) -> bool {
        !self.searched.is_empty()
    }

    /// Starts behind a row, or (backwards) before it, as the address of a list says.
    pub fn turned(mut self, query: &ListQuery) -> Self {
        for (name, forward) in [("after", true), ("before", false)] {
            let Some(Cursor { value, id }) = Cursor::parse(query.get(name)) else { continue };
            if self.order.is_text {
                self = self.from_row(forward, value, id);
            } else if let Ok(number) = value.parse::<i64>() {
                self = self.from_row(forward, number, id);
            }
        }
        self
    }

    /// Only rows of some days, by a column of instants. In the order of that column they are one stretch of the
    /// index; in another order they are searched.
    pub fn of_days(mut self, column: &str, dates: Dates) -> Self {
        let is_stretch = column.rsplit('.').next() == Some(self.order.column);
        for (sign, at) in [(">=", dates.since()), ("<", dates.until())] {
            let Some(at) = at else { continue };
            let condition = format!("{column} {sign} ?");
            self = if is_stretch { self.and(&condition, at) } else { self.search(&condition, at) };
        }
        self
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
        sql_built(format!(
            "SELECT count(*)
               FROM ({text}) counted"
        ))
        .bind_all(values)
    }

    /// The statement for `limit` rows. Read backwards, they come in reverse order.
    pub fn build(self, limit: usize) -> Sql {
        let (text, values) = self.text(limit);
        sql_built(text).bind_all(values)
    }

    /// The column that sorts the list.
    pub fn column(&self) -> &'static str {
        self.order.column
    }

    /// The same list in another order.
    pub fn by(mut self, column: &'static str, descending: bool) -> Self {
        let is_text = self.order.is_text && self.order.column == column;
        self.order = Order { column, is_text, descending };
        self
    }

    /// Only rows with a value from `least` on and below `end`; `is_indexed` where the list is in the order of the column.
    pub fn ranged(mut self, column: &'static str, least: Option<i64>, end: Option<i64>, is_indexed: bool) -> Self {
        for (sign, bound) in [(">=", least), ("<", end)] {
            let Some(bound) = bound else { continue };
            let condition = self.numbered(&format!("{}.{column} {sign} ?", self.alias), bound.into());
            if is_indexed { self.indexed.push(condition) } else { self.searched.push(condition) }
        }
        self
    }

    /// True when the list starts at its beginning.
    pub fn is_from_start(&self) -> bool {
        self.at.is_none()
    }

    /// The list from its beginning.
    pub fn from_start(mut self) -> Self {
        self.at = None;
        self
    }

    /// True when it is read from the largest down.
    pub fn is_down(&self) -> bool {
        self.order.descending == self.at.as_ref().is_none_or(|(forward, ..)| *forward)
    }

    /// The row at which the list begins, for a list sorted by a number.
    pub fn position(&self) -> Option<(i64, i64)> {
        if let Some((_, Value::Int(Some(value)), id)) = &self.at { Some((*value, *id)) } else { None }
    }

    /// True when its order is the one in which the searched rows were made.
    pub fn is_by_time(&self) -> bool {
        self.order.column == "created_at" && self.by == "id"
    }

    /// Takes the position out, as a condition on the two named columns.
    fn take_position(&mut self, key: &str) -> Option<String> {
        let sign = if self.is_down() { '<' } else { '>' };
        let (_, value, id) = self.at.take()?;
        self.values.push(value);
        self.values.push(id.into());
        let n = self.values.len();
        Some(format!("({key}) {sign} (${}, ${n})", n - 1))
    }

    /// Puts the rows of several looks in the order of the list.
    pub fn sort(&self, rows: &mut [(String, i64)]) {
        if self.order.is_text {
            rows.sort();
        } else {
            rows.sort_by_cached_key(|(at, id)| (at.parse::<i64>().unwrap_or_default(), *id));
        }
        if self.is_down() {
            rows.reverse();
        }
    }

    fn ordered(&self, column: &str, id: &str) -> String {
        let direction = if self.is_down() { "DESC" } else { "ASC" };
        format!("ORDER BY {column} {direction}, {id} {direction}")
    }

    /// Examines the next `examined` rows of the list for up to `limit` matches.
    pub async fn look_on(&self, conn: &mut Conn, examined: usize, limit: usize) -> DbResult<Look> {
        let mut this = self.clone();
        let (column, alias, table, within) = (this.order.column, this.alias, this.table, this.within);
        let order = this.ordered(&format!("{alias}.{column}"), &format!("{alias}.id"));
        let inner = this.ordered("at", "id");
        let position = this.take_position(&format!("{alias}.{column}, {alias}.id"));
        this.indexed.extend(position);
        let (indexed, searched) = (and(&this.indexed), and(&this.searched));
        let text = format!(
            "WITH looked AS MATERIALIZED (SELECT {alias}.id AS id, {alias}.{column} AS at,
                                                 CASE WHEN {searched} THEN 1 ELSE 0 END AS hit
                                            FROM (SELECT *
                                                    FROM {table} {alias}
                                                   WHERE {indexed} {order}
                                                   LIMIT {examined}) {alias} {within}) {}",
            looked("", &inner, limit)
        );
        look(conn, text, this.values).await
    }

    /// The row from which the list continues after `rows` rows, matching or not; for lists by time.
    pub async fn behind(&self, conn: &mut Conn, rows: usize) -> DbResult<Option<(i64, i64)>> {
        let mut this = self.clone();
        let (column, alias, table) = (this.order.column, this.alias, this.table);
        let within = if this.within.is_empty() { this.joins } else { this.within };
        let order = this.ordered(&format!("{alias}.{column}"), &format!("{alias}.id"));
        let position = this.take_position(&format!("{alias}.{column}, {alias}.id"));
        this.indexed.extend(position);
        let (indexed, searched) = (and(&this.indexed), and(&this.searched));
        // The searched condition is named because its values are bound.
        sql_built(format!(
            "SELECT {alias}.{column}, {alias}.id
               FROM (SELECT *
                       FROM {table} {alias}
                      WHERE {indexed} {order}
                      LIMIT 1 OFFSET {rows}) {alias} {within}
              WHERE ({searched})
                 OR true"
        ))
        .bind_all(this.values)
        .optional(conn)
        .await
    }

    /// Examines the rows with these ids: all matches are counted, and up to `limit` of them from the list's
    /// position on are returned.
    pub async fn look_at(&self, conn: &mut Conn, ids: &[i64], limit: usize) -> DbResult<Look> {
        let mut this = self.clone();
        let (column, alias, table, within, by) = (this.order.column, this.alias, this.table, this.within, this.by);
        let inner = this.ordered("at", "id");
        let position = this.take_position("at, id").map(|position| format!("AND {position}")).unwrap_or_default();
        this.values.push(crate::rows!(ids, id => { id: *id }).into());
        let (indexed, searched, n) = (and(&this.indexed), and(&this.searched), this.values.len());
        // CROSS JOIN fixes the order: the named rows first, then each by its key.
        let text = format!(
            "WITH looked AS MATERIALIZED (SELECT {alias}.id AS id, {alias}.{column} AS at,
                                                 CASE WHEN {searched} THEN 1 ELSE 0 END AS hit
                                            FROM rows(${n}, id BIGINT) named
                                            CROSS JOIN {table} {alias} {within}
                                           WHERE {alias}.{by} = named.id
                                             AND {indexed}) {}",
            looked(&position, &inner, limit)
        );
        look(conn, text, this.values).await
    }

    /// The statement for the rows with these ids, in the list's order, at most `limit`.
    pub fn lines(mut self, ids: &[i64], limit: usize) -> Sql {
        let (columns, alias, table, joins) = (self.columns, self.alias, self.table, self.joins);
        let order = self.ordered(&format!("{alias}.{}", self.order.column), &format!("{alias}.id"));
        self.values = vec![crate::rows!(ids, id => { id: *id }).into()];
        sql_built(format!(
            "SELECT {columns}
               FROM rows($1, id BIGINT) named
               CROSS JOIN {table} {alias} {joins}
              WHERE {alias}.id = named.id {order}
              LIMIT {limit}"
        ))
        .bind_all(self.values)
    }

    fn text(mut self, limit: usize) -> (String, Vec<Value>) {
        let column = self.order.column;
        let key = format!("{0}.{column}, {0}.id", self.alias);
        let order = self.ordered(&format!("{}.{column}", self.alias), &format!("{}.id", self.alias));
        let position = self.take_position(&key);
        self.indexed.extend(position);
        let (columns, table, alias, joins) = (self.columns, self.table, self.alias, self.joins);
        let indexed = and(&self.indexed);
        let text = if self.searched.is_empty() {
            format!(
                "SELECT {columns}
                   FROM {table} {alias} {joins}
                  WHERE {indexed} {order}
                  LIMIT {limit}"
            )
        } else {
            let searched = and(&self.searched);
            format!(
                "SELECT {columns}
                   FROM (SELECT * FROM {table} {alias} WHERE {indexed} {order} LIMIT {EXAMINED}) {alias} {joins}
                  WHERE {searched} {order}
                  LIMIT {limit}"
            )
        };
        (text, self.values)
    }
}

fn and(conditions: &[String]) -> String {
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

/// The statement's answer: a line of sums, then rows.
fn looked(position: &str, order: &str, limit: usize) -> String {
    format!(
        "SELECT CAST(NULL AS BIGINT) AS id, CAST(NULL AS TEXT) AS at, count(*) AS seen,
                COALESCE(CAST(sum(hit) AS BIGINT), 0) AS hits
           FROM looked
          UNION ALL
         SELECT id, CAST(at AS TEXT), 0, 0
           FROM (SELECT id, at FROM looked WHERE hit = 1 {position} {order} LIMIT {limit}) found"
    )
}

crate::row! {
    struct LookRow {
        id: Option<i64>,
        at: Option<String>,
        seen: i64,
        hits: i64,
    }
}

async fn look(conn: &mut Conn, text: String, values: Vec<Value>) -> DbResult<Look> {
    let mut look = Look::default();
    for row in sql_built(text).bind_all(values).all::<LookRow>(conn).await? {
        match (row.id, row.at) {
            (Some(id), Some(at)) => look.rows.push((at, id)),
            _ => (look.seen, look.hits) = (row.seen, row.hits),
        }
    }
    Ok(look)
}
