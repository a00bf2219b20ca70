use super::*;
use crate::imports::Kind;

fn strings(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn row(cells: &[&str]) -> Row {
    Row { line: 1, cells: strings(cells) }
}

#[test]
fn the_table_of_names_has_every_field_and_says_nothing_twice() {
    let mut seen = std::collections::HashSet::new();
    for kind in [Kind::Leads, Kind::Referrers, Kind::Qualifications] {
        assert!(kind.fields().iter().all(|field| !field.name().is_empty() && !field.label().is_empty()));
    }
    for names in NAMES.iter() {
        assert!(!names.label.is_empty());
        assert_eq!(Field::from_name(names.field.name()), Some(names.field));
        for alias in names.exact.iter().chain(names.loose) {
            assert_eq!(plain(alias), *alias, "aliases are written the way headers are compared");
            assert!(seen.insert(alias), "{alias} is there twice");
        }
    }
    assert_eq!(Field::all().len(), 56);
    assert_eq!(Field::from_name("nonsense"), None);
    assert_eq!(Field::SubscriptionStatus.name(), "subscription_status");
    assert_eq!(Field::Fact(LeadFact::JobTitle).label(), "Job title");
}

#[test]
fn the_columns_of_the_three_products_are_known() {
    use Field::*;
    use LeadFact::*;
    let known = |header: &[&str], fields: &[Field]| {
        let expected: Vec<_> = fields.iter().copied().map(Some).collect();
        assert_eq!(Mapping::from_header(&strings(header)).columns, expected, "{header:?}");
    };
    known(&["First Name", "Email", "Referrer Email Address"], &[FirstName, Email, ReferrerEmail]);
    known(
        &[
            "Customer Name",
            "Customer Email",
            "Plan",
            "Amount Paid (no symbol)",
            "Subscription Status",
            "Agent Code",
            "Payment Date",
            "Renewal Date (optional)",
        ],
        &[Name, Email, Plan, Amount, SubscriptionStatus, Code, Date, RenewalDate],
    );
    known(
        &[
            "name", "email", "phone", "company", "jobtitle", "industry", "website", "request", "budget", "country",
            "state", "address", "source", "status",
        ],
        &[
            Name,
            Email,
            Phone,
            Fact(Company),
            Fact(JobTitle),
            Fact(Industry),
            Fact(Website),
            Fact(Request),
            Fact(Budget),
            Fact(Country),
            Fact(Region),
            Fact(Address),
            Fact(Source),
            Status,
        ],
    );
    known(&["code", "amount", "currency", "date"], &[Code, Amount, Currency, Date]);
    known(
        &["customerEmail", "paymentDate", "referralCode", "eventId", "campaign_id"],
        &[Email, Date, Code, PaymentId, CampaignId],
    );
    for field in Field::all().filter(|field| *field != Ignore) {
        assert_eq!(
            Field::guess(field.label()).filter(|_| field != ReferrerEmail),
            Some(field).filter(|_| field != ReferrerEmail)
        );
        assert_eq!(Field::guess(field.name()), Some(field), "an export of ours comes back in");
    }
}

#[test]
fn case_spaces_punctuation_brackets_and_plurals_do_not_matter() {
    for header in [
        "Referral Code",
        "referral_code",
        "REFERRAL-CODE",
        " referralCode ",
        "Referral codes",
        "Referral Code*",
        "Referral.Code (if any)",
    ] {
        assert_eq!(Field::guess(header), Some(Field::Code), "{header}");
    }
    assert_eq!(Field::guess("Prénom"), Some(Field::FirstName));
    assert_eq!(Field::guess("WÄHRUNG"), Some(Field::Currency));
    assert_eq!(Field::guess("Barua pepe"), Some(Field::Email));
    for header in ["", "   ", "s", "(email)", "Shoe size", "jane@example.com", "\u{FEFF}", "Ignore", "Do not import"] {
        assert_eq!(Field::guess(header), None, "{header}");
    }
}

#[test]
fn of_two_columns_for_one_field_the_surer_wins_and_then_the_first() {
    let mapping = Mapping::from_header(&strings(&["Customer Email", "Email", "Shoe size", "Amount"]));
    assert_eq!(mapping.columns, [Some(Field::Email), None, None, Some(Field::Amount)]);
    assert_eq!(mapping.unmapped(), [1, 2]);

    let stripe = Mapping::from_header(&strings(&["id", "Created At", "Amount Refunded", "Amount", "Payment Date"]));
    assert_eq!(stripe.columns, [None, None, None, Some(Field::Amount), Some(Field::Date)]);
    let created = Mapping::from_header(&strings(&["Created At", "Amount"]));
    assert_eq!(created.column(Field::Date), Some(0));
}

#[test]
fn a_file_without_header_is_mapped_by_its_cells() {
    let guess = |rows: &[&[&str]]| {
        let rows: Vec<Row> = rows.iter().map(|cells| row(cells)).collect();
        Mapping::guess_without_header(&rows).columns
    };
    let (email, code) = (Some(Field::Email), Some(Field::Code));
    assert_eq!(guess(&[&["jane@example.com"], &[" bob@example.org "]]), [email]);
    assert_eq!(guess(&[&["AGENT123"], &["ueONFmUp"], &["K7QF-92MD"]]), [code]);
    assert_eq!(guess(&[&["JANE"], &["BOBBY"]]), [code]);
    assert_eq!(
        guess(&[
            &["Jane Smith", "ACTIVE", "jane@x.com", "AGENT1", "2026-06-14", "x@y.z"],
            &["Bob", "ACTIVE", "bob@x.com", "", "2026-06-15", "z@y.x"]
        ]),
        [None, None, email, code, None, None],
    );
    assert_eq!(guess(&[&["+254722000001", "100.00", "Jane", "USD"]]), [None, None, None, None]);
    assert!(guess(&[]).is_empty());
    assert_eq!(guess(&[&["", ""]]), [None, None]);
}

#[test]
fn a_cell_is_read_trimmed_and_a_missing_one_is_empty() {
    let mut mapping = Mapping::from_header(&strings(&["Name", "E-mail", "Notes"]));
    let row = row(&["  Jane\u{a0}", "jane@example.com"]);
    assert_eq!(mapping.get(&row, Field::Name), "Jane");
    assert_eq!(mapping.get(&row, Field::Email), "jane@example.com");
    assert_eq!(mapping.get(&row, Field::Fact(LeadFact::Request)), "", "the row is shorter than the mapping");
    assert_eq!(mapping.get(&row, Field::Phone), "");

    mapping.set(0, Some(Field::Ignore));
    mapping.set(2, Some(Field::Email));
    mapping.set(9, Some(Field::Phone));
    assert_eq!(mapping.columns, [Some(Field::Ignore), None, Some(Field::Email)]);
    assert_eq!(mapping.unmapped(), [1]);
    assert_eq!(mapping.get(&row, Field::Ignore), "");
}
