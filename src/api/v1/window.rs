//! The part of a list that a call asks for: `limit`, `after`, `sort`, `order`, `updated_since`, `created_since`,
//! `created_before`.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::api::field::{Field, Integer, OneOf, Word, Wrong};
use crate::api::object::{Body, Described, Group};
use crate::api::problem::FieldProblem;
use crate::clock::{Day, Instant, Zone};
use crate::db::Cursor;
use crate::object;

/// Rows of a page by default.
pub const USUAL: usize = 50;
/// Rows of a page, at most.
const MOST: i64 = 250;

/// The most rows of a page.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub usize);

impl Field for Limit {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let Integer(n) = Integer::read(raw)?;
        let n = usize::try_from(n).ok().filter(|_| (1..=MOST).contains(&n));
        n.map(Self).ok_or_else(|| Wrong::Because(format!("must be from 1 to {MOST}")))
    }

    fn read_text(text: &str) -> Result<Self, Wrong> {
        Self::read(Some(text.trim()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL })
    }
}

/// The start of a page: the `next` of the page before, and its list.
#[derive(Debug, Clone)]
pub struct After {
    pub cursor: Cursor,
    pub list: String,
    pub synced_until: Option<i64>,
}

pub const NO_CURSOR: &str = "is not a cursor that a page of this list gave";

impl Field for After {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let text: String =
            serde_json::from_str(raw.ok_or(Wrong::Missing)?).map_err(|_| Wrong::because("must be a string"))?;
        let after = Cursor::parse(&text).and_then(|Cursor { value, id }| {
            let (list, at) = value.split_once('.')?;
            let (at, until) = at.split_once('.').map_or((at, None), |(at, until)| (at, Some(until)));
            let synced_until = until.map(str::parse).transpose().ok()?;
            let at = at.parse::<i64>().ok()?;
            Some(Self { cursor: Cursor { value: at.to_string(), id }, list: list.to_owned(), synced_until })
        });
        after.ok_or_else(|| Wrong::because(NO_CURSOR))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]*$" })
    }
}

/// The column of a list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Created,
    Updated,
    Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

impl Word for Direction {
    const WORDS: &'static [&'static str] = &["asc", "desc"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "asc" => Some(Self::Ascending),
            "desc" => Some(Self::Descending),
            _ => None,
        }
    }
}

/// The orders of a list: a column, and a minus for the largest first.
pub trait Sorting: Word + std::fmt::Debug {
    /// The column, and true with a minus.
    fn column(&self) -> (By, bool);

    const ABOUT: &'static str = "By making or last change; with a minus, the newest first.";
}

/// The orders of a list of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    by: By,
    minus: bool,
}

impl Word for Sort {
    const WORDS: &'static [&'static str] = &["-created", "created", "-updated", "updated"];

    fn of(word: &str) -> Option<Self> {
        let (bare, minus) = word.strip_prefix('-').map_or((word, false), |bare| (bare, true));
        let by = match bare {
            "created" => By::Created,
            "updated" => By::Updated,
            _ => return None,
        };
        Some(Self { by, minus })
    }
}

impl Sorting for Sort {
    fn column(&self) -> (By, bool) {
        (self.by, self.minus)
    }
}

/// A time: an instant, or a day of the business.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    At(Instant),
    Day(Day),
}

impl Moment {
    /// A day is its beginning.
    pub fn instant(self, zone: Zone) -> Instant {
        match self {
            Self::At(at) => at,
            Self::Day(day) => zone.start_of(day),
        }
    }
}

impl Field for Moment {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let text: String =
            serde_json::from_str(raw.ok_or(Wrong::Missing)?).map_err(|_| Wrong::because("must be a string"))?;
        // A plus that is not percent-encoded arrives as a space.
        let text = text.trim().replace(' ', "+");
        if text.is_empty() {
            return Err(Wrong::Missing);
        }
        let day = || Day::parse(&text).ok().map(Self::Day);
        let moment = Instant::parse_rfc3339(&text).map(Self::At).or_else(day);
        moment.ok_or_else(|| {
            Wrong::because("must be an instant, such as 2026-06-20T12:00:00Z, or a day, such as 2026-06-20")
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

object! {
    /// The requested part of a list.
    strict pub struct PageAsked {
        ; window: Window
    }
}

/// What a call asks for of a list.
#[derive(Debug, Clone)]
pub struct Window<S = Sort> {
    pub limit: Option<Limit>,
    pub after: Option<After>,
    sort: Option<S>,
    order: Option<Direction>,
    usual: (By, Direction),
    pub updated_since: Option<Moment>,
    pub created_since: Option<Moment>,
    pub created_before: Option<Moment>,
}

impl<S: Sorting> Window<S> {
    /// Sorted by a day where the call says nothing else.
    pub fn usually_by_day(self) -> Self {
        Self { usual: (By::Day, Direction::Descending), ..self }
    }

    /// The oldest first where the call says nothing else: for the few things that a business sets up.
    pub fn usually_oldest_first(self) -> Self {
        Self { usual: (By::Created, Direction::Ascending), ..self }
    }

    /// The column and direction. Changes come oldest first, so that a reader can follow them; rows newest first.
    pub fn order(&self) -> (By, Direction) {
        let by = self.sort.as_ref().map(Sorting::column);
        let column = by.map_or(if self.updated_since.is_some() { By::Updated } else { self.usual.0 }, |(by, _)| by);
        let direction = self.order.or(by.map(|(_, minus)| match minus {
            true => Direction::Descending,
            false => Direction::Ascending,
        }));
        let usual =
            if column == By::Updated && self.updated_since.is_some() { Direction::Ascending } else { self.usual.1 };
        (column, direction.unwrap_or(usual))
    }
}

impl<S: Sorting> Group for Window<S> {
    fn names() -> Vec<&'static str> {
        vec!["limit", "after", "sort", "order", "updated_since", "created_since", "created_before"]
    }

    fn take(body: &Body, problems: &mut Vec<FieldProblem>) -> Self {
        let window = Self {
            limit: body.take::<Option<Limit>>("limit", problems).flatten(),
            after: body.take::<Option<After>>("after", problems).flatten(),
            sort: body.take::<Option<OneOf<S>>>("sort", problems).flatten().map(|sort| sort.0),
            order: body.take::<Option<OneOf<Direction>>>("order", problems).flatten().map(|order| order.0),
            usual: (By::Created, Direction::Descending),
            updated_since: body.take::<Option<Moment>>("updated_since", problems).flatten(),
            created_since: body.take::<Option<Moment>>("created_since", problems).flatten(),
            created_before: body.take::<Option<Moment>>("created_before", problems).flatten(),
        };
        let sort = window.sort.as_ref().map(Sorting::column);
        if sort.is_some_and(|(_, minus)| minus) && window.order == Some(Direction::Ascending) {
            problems.push(FieldProblem::wrong("order", "says asc where sort has a minus"));
        }
        if window.updated_since.is_some() && sort.is_some_and(|(by, _)| by != By::Updated) {
            problems.push(FieldProblem::wrong("sort", "must be updated beside updated_since"));
        }
        window
    }

    fn described(schemas: &mut SchemaGenerator) -> Vec<Described> {
        let mut field = |name, about: &str, schema: fn(&mut SchemaGenerator) -> Schema| Described {
            name,
            about: about.to_owned(),
            required: false,
            schema: schema(schemas),
        };
        vec![
            field("limit", "Rows of the page.", Option::<Limit>::schema),
            field("after", "The start of the page: `next` of the page before.", Option::<After>::schema),
            field("sort", S::ABOUT, Option::<OneOf<S>>::schema),
            field(
                "order",
                "The direction: by default the newest come first, with `updated_since` the oldest change.",
                Option::<OneOf<Direction>>::schema,
            ),
            field(
                "updated_since",
                "Only rows made or changed at this time or later, by their change: an instant, or a day of the business.",
                Option::<Moment>::schema,
            ),
            field("created_since", "Only rows made at this time or later.", Option::<Moment>::schema),
            field("created_before", "Only rows made before this time.", Option::<Moment>::schema),
        ]
    }
}
