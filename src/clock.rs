//! Time: instants in UTC, calendar days, time zones, and the [`Clock`] that says what now is.
//! Deadlines such as holds are calendar days in the business's [`Zone`], never a number of hours.
//! Time is an argument everywhere else; only [`Clock::now`] reads the machine's clock.
//!
//! Everything is within the years 1900 to 2999. Arithmetic that would leave them stops at the
//! nearest end, so that none of it can fail or panic.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveDateTime, TimeZone as _};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment, in microseconds since 1970-01-01T00:00:00Z. Stored as BIGINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// 1900-01-01T00:00:00Z.
    pub const MIN: Self = Self(-2_208_988_800 * MICROS_PER_SECOND);
    /// The last microsecond of the year 2999.
    pub const MAX: Self = Self(32_503_680_000 * MICROS_PER_SECOND - 1);

    /// From microseconds since the epoch, brought within [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Reads RFC 3339, with any offset. `None` for other text and other centuries.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let micros = DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros();
        (Self::MIN.0..=Self::MAX.0).contains(&micros).then_some(Self(micros))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: the unit of signatures and session ages.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// "2024-01-15T12:00:00.000Z"; what is below a millisecond is cut off.
    #[must_use]
    pub fn to_rfc3339_millis(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Later, or earlier if `seconds` is negative.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// Later by days of 24 hours. For calendar days use [`Day::plus_days`].
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(SECONDS_PER_DAY))
    }

    /// The calendar day in UTC.
    #[must_use]
    pub fn date_utc(self) -> Day {
        Day::nearest(self.utc().date())
    }

    fn utc(self) -> NaiveDateTime {
        // Within MIN and MAX the conversion always exists; the epoch is never used.
        DateTime::from_timestamp_micros(self.0).map_or_else(NaiveDateTime::default, |at| at.naive_utc())
    }
}

/// Why a date was refused. The sentences continue a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayError {
    /// Not of the form YYYY-MM-DD.
    Form,
    /// None of the forms that [`Day::parse_typed`] reads.
    TypedForm,
    /// The right form, but no such day: 30 February, month 13.
    NoSuchDay,
    /// A year before 1900 or after 2999.
    Year,
}

impl fmt::Display for DayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "must be a date of the form YYYY-MM-DD",
            Self::TypedForm => "must be a date such as 2026-06-14, 14/06/2026 or 14 Jun 2026",
            Self::NoSuchDay => "is not a day of the calendar",
            Self::Year => "must be a date between 1900 and 2999",
        })
    }
}

impl std::error::Error for DayError {}

/// A calendar day without a time or zone. Stored as text YYYY-MM-DD, which sorts by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Day {
    /// Strict YYYY-MM-DD: ten ASCII characters, a real day, as the APIs take it.
    ///
    /// # Errors
    /// [`DayError`], the first that applies.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        let part = |from, to| text.get(from..to).and_then(digits);
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        match (part(0, 4), part(5, 7), part(8, text.len())) {
            (Some(year), Some(month), Some(day)) if dashes && text.len() == 10 => Self::of(year, month, day),
            _ => Err(DayError::Form),
        }
    }

    /// Reads what people type: `14/06/2026` (day first), `14.06.2026`, `14 Jun 2026`, `June 14, 2026`,
    /// `2026/6/14` and the strict form. The year always has four digits; a month above 12 in second place is
    /// an error, never a day.
    ///
    /// # Errors
    ///
    /// [`DayError`], the first that applies.
    pub fn parse_typed(text: &str) -> Result<Self, DayError> {
        let separators = |c: char| c.is_whitespace() || matches!(c, '/' | '.' | '-' | ',');
        let words: Vec<&str> = text.split(separators).filter(|word| !word.is_empty()).collect();
        let [a, b, c] = words[..] else { return Err(DayError::TypedForm) };
        let (year, month, day) = if a.len() == 4 && digits(a).is_some() {
            (a, month_of(b), c)
        } else if let Some(month) = month_by_name(a) {
            (c, Some(month), b)
        } else {
            (c, month_of(b), a)
        };
        match (four_digits(year), month, day_of_month(day)) {
            (Some(year), Some(month), Some(day)) => Self::of(year, month, day),
            _ => Err(DayError::TypedForm),
        }
    }

    /// As [`Day::parse_typed`], and "today", "yesterday" and "tomorrow" in any case.
    ///
    /// # Errors
    /// [`DayError`], the first that applies.
    pub fn parse_said(text: &str, today: Self) -> Result<Self, DayError> {
        match text.trim().to_lowercase().as_str() {
            "yesterday" => Ok(today.plus_days(-1)),
            "today" => Ok(today),
            "tomorrow" => Ok(today.plus_days(1)),
            _ => Self::parse_typed(text),
        }
    }

    fn of(year: u32, month: u32, day: u32) -> Result<Self, DayError> {
        let year = i32::try_from(year).map_err(|_| DayError::Year)?;
        let date = NaiveDate::from_ymd_opt(year, month, day).ok_or(DayError::NoSuchDay)?;
        if (1900..=2999).contains(&year) { Ok(Self(date)) } else { Err(DayError::Year) }
    }

    fn nearest(date: NaiveDate) -> Self {
        match date.year() {
            ..1900 => Self(Instant::MIN.utc().date()),
            1900..=2999 => Self(date),
            _ => Self(Instant::MAX.utc().date()),
        }
    }

    /// The day `days` days later, or earlier if negative.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let count = Days::new(days.unsigned_abs());
        let (moved, end) = if days < 0 {
            (self.0.checked_sub_days(count), Instant::MIN)
        } else {
            (self.0.checked_add_days(count), Instant::MAX)
        };
        moved.map_or_else(|| end.date_utc(), Self::nearest)
    }

    /// The same day of a later month, or its last day where it is too short: 31 January plus one
    /// month is 28 or 29 February.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let moved = self.0.checked_add_months(Months::new(months));
        moved.map_or_else(|| Instant::MAX.date_utc(), Self::nearest)
    }

    /// "14 Jun 2026".
    #[must_use]
    pub fn shown(self) -> String {
        self.0.format("%-d %b %Y").to_string()
    }

    /// Days from this day to `other`; negative when it is earlier.
    #[must_use]
    pub fn days_until(self, other: Self) -> i64 {
        (other.0 - self.0).num_days()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Up to four ASCII digits, and nothing else.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn four_digits(text: &str) -> Option<u32> {
    if text.len() == 4 { digits(text) } else { None }
}

fn month_of(word: &str) -> Option<u32> {
    if word.len() <= 2 { digits(word) } else { month_by_name(word) }
}

/// English names, whole or cut to three letters, and "Sept".
fn month_by_name(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let cut = matches!(word.len(), 3) || word == "sept";
    let at = MONTHS.iter().position(|name| *name == word || (cut && name.starts_with(&word)))?;
    u32::try_from(at + 1).ok()
}

/// `14`, or `14th` as in "June 14th 2026".
fn day_of_month(word: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase();
    let bare = ["st", "nd", "rd", "th"].iter().find_map(|end| lower.strip_suffix(end));
    let number = bare.unwrap_or(&lower);
    if number.len() <= 2 { digits(number) } else { None }
}

/// A time zone of the IANA database that is compiled in, so that every node agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// A name that is no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneError;

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a time zone such as Europe/Berlin")
    }
}

impl std::error::Error for ZoneError {}

/// UTC: what a business has until it says otherwise.
impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Reads an IANA name, "America/New_York", spelled exactly.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        name.trim().parse().map(Self).map_err(|_| ZoneError)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The calendar day that a moment falls on here.
    #[must_use]
    pub fn day_of(self, at: Instant) -> Day {
        Day::nearest(self.local(at).date())
    }

    /// "14 Jun 2026, 13:05".
    #[must_use]
    pub fn shown(self, at: Instant) -> String {
        self.local(at).format("%-d %b %Y, %H:%M").to_string()
    }

    /// The first moment of a day: usually midnight; where the clocks skip midnight, or the whole
    /// day, the moment after the skip; where midnight comes twice, the first.
    #[must_use]
    pub fn start_of(self, day: Day) -> Instant {
        let midnight = day.0.and_time(chrono::NaiveTime::MIN);
        let start = self.0.from_local_datetime(&midnight).earliest();
        let start = start.or_else(|| GapInfo::new(&midnight, &self.0)?.end);
        // Every gap ends, since zones do not stop. UTC only makes this total.
        let micros = start.map_or_else(|| midnight.and_utc().timestamp_micros(), |at| at.timestamp_micros());
        Instant::from_micros(micros)
    }

    fn local(self, at: Instant) -> NaiveDateTime {
        self.0.from_utc_datetime(&at.utc()).naive_local()
    }
}

/// The names of all time zones, sorted, for a list to choose from.
pub fn zones() -> impl Iterator<Item = &'static str> {
    TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// Says what now is. Copies of a fixed clock share one time, so that a test moves it for the whole
/// application.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn fixed(at: Instant) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.0))))
    }

    /// The current moment, to the microsecond, which is what both databases keep.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::from_micros(machine_micros()),
            Source::Fixed(micros) => Instant(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock and all its copies. On the machine's clock this has no effect.
    pub fn set(&self, at: Instant) {
        if let Source::Fixed(micros) = &self.0 {
            micros.store(at.0, Ordering::SeqCst);
        }
    }

    /// Moves a fixed clock by days of 24 hours; see [`Self::set`].
    pub fn advance_days(&self, days: i64) {
        self.set(self.now().plus_days(days));
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn machine_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests;
