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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn at(text: &str) -> Instant {
        Instant::parse_rfc3339(text).unwrap()
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn instants() {
        let noon = at("2024-01-15T12:00:00Z");
        assert_eq!(noon.to_rfc3339_millis(), "2024-01-15T12:00:00.000Z");
        assert_eq!(Instant::from_micros(noon.micros() + 1999).to_rfc3339_millis(), "2024-01-15T12:00:00.001Z");
        assert_eq!(Instant::from_micros(-1).to_rfc3339_millis(), "1969-12-31T23:59:59.999Z");
        assert_eq!((Instant::from_micros(-1).seconds(), noon.seconds()), (-1, 1_705_320_000));
        assert_eq!(noon.plus_days(-15).plus_seconds(-43_201).date_utc(), day("2023-12-30"));
        assert_eq!(at("2024-01-15T12:00:00+05:30").to_rfc3339_millis(), "2024-01-15T06:30:00.000Z");
        assert_eq!(Instant::parse_rfc3339("2024-01-15"), None);
    }

    #[test]
    fn the_ends_of_time() {
        assert_eq!(Instant::MIN.to_rfc3339_millis(), "1900-01-01T00:00:00.000Z");
        assert_eq!(Instant::MAX.to_rfc3339_millis(), "2999-12-31T23:59:59.999Z");
        assert_eq!(Instant::from_micros(i64::MIN), Instant::MIN);
        assert_eq!(Instant::MIN.plus_days(i64::MAX), Instant::MAX);
        assert_eq!(Instant::MAX.plus_seconds(i64::MIN), Instant::MIN);
        let (first, last) = (day("1900-01-01"), day("2999-12-31"));
        assert_eq!((first.plus_days(i64::MIN), last.plus_days(1), first.plus_days(i64::MAX)), (first, last, last));
        assert_eq!((last.plus_months(1), first.plus_months(u32::MAX)), (last, last));
        assert_eq!(zone("America/New_York").day_of(Instant::MIN), first);
        assert_eq!(zone("Pacific/Kiritimati").day_of(Instant::MAX), last);
        assert_eq!(zone("Asia/Tokyo").start_of(first), Instant::MIN);
    }

    #[test]
    fn strict_dates() {
        assert_eq!(day("2026-06-14").to_string(), "2026-06-14");
        assert!(Day::parse("2024-02-29").is_ok() && Day::parse("2000-02-29").is_ok());
        for text in [
            "2026-6-14",
            "2026/06/14",
            " 2026-06-14",
            "2026-06-14Z",
            "26-06-14",
            "",
            "2026-06-1x",
            "+026-06-14",
            "20-6-06-14",
            "２０２６-06-14",
            "2026-0--14",
            "2026-06-14T00:00:00Z",
            "2026-06-é",
        ] {
            assert_eq!(Day::parse(text), Err(DayError::Form), "{text}");
        }
        for text in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-01-00"] {
            assert_eq!(Day::parse(text), Err(DayError::NoSuchDay), "{text}");
        }
        for text in ["1899-12-31", "3000-01-01", "0000-01-01"] {
            assert_eq!(Day::parse(text), Err(DayError::Year), "{text}");
        }
    }

    #[test]
    fn typed_dates() {
        for text in [
            "14/06/2026",
            "14.06.2026",
            "14-6-2026",
            "14 Jun 2026",
            "14 june 2026",
            "June 14 2026",
            "Jun 14, 2026",
            "June 14th, 2026",
            "2026-06-14",
            "2026/6/14",
            "2026 Jun 14",
            " 14. 6. 2026 ",
            "14-JUN-2026",
        ] {
            assert_eq!(Day::parse_typed(text), Ok(day("2026-06-14")), "{text}");
        }
        assert_eq!(Day::parse_typed("1 Sept 2026"), Ok(day("2026-09-01")));
        assert_eq!(Day::parse_typed("3/4/2026"), Ok(day("2026-04-03")));
        assert_eq!(Day::parse_typed("06/14/2026"), Err(DayError::NoSuchDay));
        for text in [
            "14/06/26",
            "14 06",
            "tomorrow",
            "14 Ju 2026",
            "14 m 2026",
            "2026-06-14 10:00",
            "Jun Jun 2026",
            "140 Jun 2026",
            "",
        ] {
            assert_eq!(Day::parse_typed(text), Err(DayError::TypedForm), "{text}");
        }
        for (text, wanted) in [("today", "2026-06-14"), (" Yesterday ", "2026-06-13"), ("TOMORROW", "2026-06-15")] {
            assert_eq!(Day::parse_said(text, day("2026-06-14")), Ok(day(wanted)), "{text}");
        }
        assert_eq!(Day::parse_said("1 Jun 2026", day("2026-06-14")), Ok(day("2026-06-01")));
        assert_eq!(day("2026-06-04").shown(), "4 Jun 2026");
        assert_eq!(Day::parse_typed("4 Jun 1026"), Err(DayError::Year));
    }

    #[test]
    fn holds_are_calendar_days() {
        assert_eq!(day("2026-06-14").plus_days(14), day("2026-06-28"));
        assert_eq!(day("2024-02-15").plus_days(14), day("2024-02-29"));
        // Thirty days over a change of clocks are an hour short or long, and still thirty days.
        let begin = day("2026-03-01");
        for (name, hours) in
            [("America/New_York", 719), ("Europe/London", 719), ("Africa/Casablanca", 719), ("UTC", 720)]
        {
            let zone = zone(name);
            let passed = zone.start_of(begin.plus_days(30)).seconds() - zone.start_of(begin).seconds();
            assert_eq!(passed, hours * 3600, "{name}");
        }
    }

    #[test]
    fn months_stop_at_their_last_day() {
        assert_eq!(day("2026-01-31").plus_months(1), day("2026-02-28"));
        assert_eq!(day("2024-01-31").plus_months(1), day("2024-02-29"));
        assert_eq!(day("2024-02-29").plus_months(12), day("2025-02-28"));
        assert_eq!(day("2026-11-30").plus_months(3), day("2027-02-28"));
    }

    #[test]
    fn zones_know_their_days() {
        let late = at("2026-06-14T10:30:00Z");
        assert_eq!(zone("Pacific/Kiritimati").day_of(late), day("2026-06-15"));
        assert_eq!(zone("Pacific/Pago_Pago").day_of(late), day("2026-06-13"));
        assert_eq!(zone("Europe/Berlin").shown(late), "14 Jun 2026, 12:30");
        assert_eq!(zone(" Asia/Kolkata ").name(), "Asia/Kolkata");
        for name in ["", "Berlin", "europe/berlin", "GMT+25"] {
            assert_eq!(Zone::parse(name), Err(ZoneError), "{name}");
        }
        assert!(zones().all(|name| Zone::parse(name).is_ok_and(|zone| zone.name() == name)));
        assert!(zones().count() > 500);
    }

    #[test]
    fn days_start_where_their_zone_says() {
        let start = |name, text| zone(name).start_of(day(text)).to_rfc3339_millis();
        assert_eq!(start("America/New_York", "2026-03-08"), "2026-03-08T05:00:00.000Z");
        // Midnight is skipped in Santiago, and comes twice in Havana.
        assert_eq!(start("America/Santiago", "2024-09-08"), "2024-09-08T04:00:00.000Z");
        assert_eq!(start("America/Havana", "2024-11-03"), "2024-11-03T04:00:00.000Z");
        // Samoa had no 30 December 2011.
        assert_eq!(start("Pacific/Apia", "2011-12-30"), start("Pacific/Apia", "2011-12-31"));
    }

    #[test]
    fn a_fixed_clock_is_shared_by_its_copies() {
        let clock = Clock::fixed(at("2026-06-14T12:00:00Z"));
        let copy = clock.clone();
        copy.advance_days(14);
        assert_eq!(clock.now(), at("2026-06-28T12:00:00Z"));
        clock.set(at("2026-01-01T00:00:00Z"));
        assert_eq!(copy.now(), at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn the_system_clock_runs_and_is_not_set() {
        let clock = Clock::system();
        let before = clock.now();
        clock.set(Instant::MIN);
        clock.advance_days(-1);
        assert!(clock.now() >= before && before > at("2025-01-01T00:00:00Z"));
    }

    fn any_day() -> impl Strategy<Value = Day> {
        (0_i64..401_768).prop_map(|days| day("1900-01-01").plus_days(days))
    }

    fn any_zone() -> impl Strategy<Value = Zone> {
        (0..TZ_VARIANTS.len()).prop_map(|at| Zone(TZ_VARIANTS[at]))
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(day in any_day()) {
            prop_assert_eq!(Day::parse(&day.to_string()), Ok(day));
            prop_assert_eq!(Day::parse_typed(&day.to_string()), Ok(day));
            prop_assert_eq!(Day::parse_typed(&day.shown()), Ok(day));
        }

        #[test]
        fn text_sorts_as_days_do(a in any_day(), b in any_day()) {
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.plus_days(a.days_until(b)), b);
        }

        #[test]
        fn months_keep_order_and_the_day(a in any_day(), b in any_day(), months in 0_u32..240, more in 0_u32..240) {
            let moved = a.plus_months(months);
            prop_assert!(a <= moved && moved <= moved.plus_months(more));
            if a <= b {
                prop_assert!(moved <= b.plus_months(months));
            }
            if moved < day("2999-12-01") {
                let month = |day: Day| i64::from(day.0.year()) * 12 + i64::from(day.0.month0());
                prop_assert_eq!(month(moved) - month(a), i64::from(months));
                // The same day of the month, or the last one.
                prop_assert!(moved.0.day() == a.0.day() || (moved.0.day() < a.0.day() && moved.plus_days(1).0.day() == 1));
            }
        }

        #[test]
        fn a_day_starts_once(zone in any_zone(), day in any_day()) {
            let start = zone.start_of(day);
            prop_assume!(start > Instant::MIN && start < Instant::MAX);
            prop_assert!(zone.day_of(start) >= day);
            prop_assert!(zone.day_of(Instant::from_micros(start.micros() - 1)) < day);
            prop_assert!(zone.start_of(day.plus_days(1)) >= start);
        }

        #[test]
        fn a_moment_is_within_its_day(zone in any_zone(), micros in Instant::MIN.0..Instant::MAX.0) {
            let now = Instant::from_micros(micros);
            let today = zone.day_of(now);
            prop_assert!(zone.start_of(today) <= now);
            prop_assert!((now.date_utc().days_until(today)).abs() <= 1);
            prop_assert_eq!(Instant::parse_rfc3339(&now.to_rfc3339_millis()).map(|it| it.0), Some(micros.div_euclid(1000) * 1000));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,16}|[0-9/. -]{0,12}", days: i64, months: u32) {
            let _ = (Day::parse(&text), Zone::parse(&text), Instant::parse_rfc3339(&text));
            if let Ok(day) = Day::parse_typed(&text) {
                let _ = (day.plus_days(days), day.plus_months(months));
            }
        }
    }

    #[test]
    fn every_zone_through_every_change_of_this_century() {
        for name in [
            "America/Santiago",
            "Africa/Cairo",
            "Asia/Beirut",
            "America/St_Johns",
            "Australia/Lord_Howe",
            "Africa/Casablanca",
            "Asia/Gaza",
            "America/Asuncion",
        ] {
            let zone = zone(name);
            let mut today = day("2000-01-01");
            while today < day("2038-01-01") {
                let start = zone.start_of(today);
                assert_eq!(zone.day_of(start), today, "{name}");
                assert!(zone.day_of(Instant::from_micros(start.micros() - 1)) < today, "{name} {today}");
                today = today.plus_days(1);
            }
        }
    }
}
