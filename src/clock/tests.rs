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
    for (name, hours) in [("America/New_York", 719), ("Europe/London", 719), ("Africa/Casablanca", 719), ("UTC", 720)] {
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
