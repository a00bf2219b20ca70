//! The columns of each kind. Columns that an import understands come first, by the names it knows.

use std::sync::LazyLock;

use super::write::Cell;
use crate::cli::common::instant;
use crate::codes::rows::CodeRow;
use crate::commissions::rows::CommissionRow;
use crate::db::TextColumn as _;
use crate::engine::PaymentName;
use crate::id::{self, Kind};
use crate::leads::LeadRow;
use crate::leads::fields::LeadFact;
use crate::links;
use crate::meta;
use crate::money::{Currency, Money, Rate};
use crate::payments::PaymentRow;
use crate::referrers::rows::{EnrollmentRow, ReferrerRow};

/// The columns of leads, before and behind the plain facts that are not among the first.
const LEADS_FIRST: [&str; 8] = ["name", "email", "phone", "company", "code", "referrer_email", "source", "status"];
const LEADS_LAST: [&str; 15] = [
    "external_id",
    "metadata",
    "qualified",
    "id",
    "campaign",
    "referrer_id",
    "arrival",
    "active",
    "duplicate_of",
    "test",
    "qualified_at",
    "converted_at",
    "created_at",
    "updated_at",
    "archived_at",
];

pub static LEADS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let facts = further_facts().map(|fact| fact.plain().file);
    LEADS_FIRST.into_iter().chain(facts).chain(LEADS_LAST).collect()
});

fn further_facts() -> impl Iterator<Item = LeadFact> {
    LeadFact::ALL.iter().copied().filter(|fact| !matches!(fact, LeadFact::Company | LeadFact::Source))
}

pub const REFERRERS: [&str; 13] = [
    "name",
    "email",
    "phone",
    "company",
    "code",
    "external_id",
    "metadata",
    "link",
    "id",
    "campaign",
    "enrollment",
    "created_at",
    "archived_at",
];

pub const CODES: [&str; 10] =
    ["code", "code_state", "kind", "name", "email", "link", "id", "campaign", "referrer_id", "created_at"];

pub const COMMISSIONS: [&str; 20] = [
    "id",
    "campaign",
    "referrer_id",
    "referrer_email",
    "lead_id",
    "payment",
    "kind",
    "state",
    "amount",
    "currency",
    "base_amount",
    "rate",
    "terms_number",
    "hold_days",
    "hold_until",
    "reason",
    "test",
    "amount_minor",
    "created_at",
    "updated_at",
];

pub const PAYMENTS: [&str; 18] = [
    "email",
    "amount",
    "currency",
    "date",
    "subscription_status",
    "payment_id",
    "id",
    "campaign",
    "product",
    "lead_id",
    "decision",
    "decision_why",
    "refunded",
    "amount_minor",
    "test",
    "disputed_at",
    "received_at",
    "names",
];

fn rendered(kind: Kind, id: impl Into<Option<i64>>) -> Cell {
    id.into().map(|id| id::render(kind, id)).into()
}

fn at(micros: impl Into<Option<i64>>) -> Cell {
    micros.into().map(instant).into()
}

/// The fields of another program as a JSON object; nothing where there are none.
fn metadata(stored: &str) -> Cell {
    let texts = meta::texts(stored);
    if texts.is_empty() { Cell::Nothing } else { Cell::Object(serde_json::json!(texts).to_string()) }
}

/// With the currency's decimals; minor units for an unknown currency.
fn money(minor: i64, currency: &str) -> Cell {
    match Currency::parse(currency) {
        Ok(currency) => Cell::Number(Money { minor, currency }.plain()),
        Err(_) => minor.into(),
    }
}

pub fn lead(l: LeadRow, referrer_email: Option<String>) -> Vec<Cell> {
    let fact = |fact: LeadFact| l.facts[fact].clone().into();
    let mut cells: Vec<Cell> = vec![
        l.name.into(),
        l.email.into(),
        l.phone_key.or(l.phone).into(),
        fact(LeadFact::Company),
        l.code.into(),
        referrer_email.into(),
        fact(LeadFact::Source),
        l.status.into(),
    ];
    cells.extend(further_facts().map(fact));
    cells.extend([
        l.external_id.into(),
        metadata(&l.meta),
        l.qualified_at.is_some().into(),
        rendered(Kind::Lead, l.id),
        rendered(Kind::Campaign, l.campaign_id),
        rendered(Kind::Referrer, l.referrer_id),
        l.arrival.into(),
        l.active.into(),
        rendered(Kind::Lead, l.duplicate_of),
        l.test.into(),
        at(l.qualified_at),
        at(l.converted_at),
        at(l.created_at),
        at(l.updated_at),
        at(l.archived_at),
    ]);
    cells
}

pub fn referrer(r: &ReferrerRow, e: &EnrollmentRow, public_url: &str) -> Vec<Cell> {
    let elder = e.elder.unwrap_or_default();
    vec![
        r.name.as_str().into(),
        r.email.clone().into(),
        r.phone.clone().into(),
        r.company.clone().into(),
        e.code.clone().into(),
        r.external_id.clone().into(),
        metadata(&r.meta),
        e.code.as_deref().map(|code| links::address(public_url, e.campaign_id, code, elder)).into(),
        rendered(Kind::Referrer, r.id),
        rendered(Kind::Campaign, e.campaign_id),
        e.state.as_str().into(),
        at(r.created_at),
        at(r.archived_at),
    ]
}

pub fn code(c: CodeRow, email: Option<String>, public_url: &str) -> Vec<Cell> {
    let link = links::address(public_url, c.campaign_id, &c.text, c.elder);
    vec![
        c.text.into(),
        c.state.into(),
        c.kind.into(),
        c.referrer.into(),
        email.into(),
        link.into(),
        rendered(Kind::Code, c.id),
        rendered(Kind::Campaign, c.campaign_id),
        rendered(Kind::Referrer, c.referrer_id),
        at(c.created_at),
    ]
}

pub fn commission(k: CommissionRow, referrer_email: Option<String>) -> Vec<Cell> {
    let rate = k.rate.and_then(Rate::from_units).map(|rate| rate.shown().trim_end_matches(" %").to_owned());
    vec![
        rendered(Kind::Commission, k.id),
        rendered(Kind::Campaign, k.campaign_id),
        rendered(Kind::Referrer, k.referrer_id),
        referrer_email.into(),
        rendered(Kind::Lead, k.lead_id),
        rendered(Kind::Payment, k.payment_id),
        k.kind.into(),
        k.state.into(),
        money(k.amount, &k.currency),
        k.currency.as_str().into(),
        money(k.base_amount, &k.currency),
        rate.map_or(Cell::Nothing, Cell::Number),
        k.terms_number.into(),
        k.hold_days.into(),
        k.hold_until.into(),
        k.reason.into(),
        k.test.into(),
        k.amount.into(),
        at(k.created_at),
        at(k.updated_at),
    ]
}

pub fn payment(y: PaymentRow) -> Vec<Cell> {
    let own_id = y.event_id();
    let names: Vec<String> = y.names().iter().map(PaymentName::to_string).collect();
    vec![
        y.email.into(),
        money(y.amount, &y.currency),
        y.currency.as_str().into(),
        y.payment_date.into(),
        y.subscription_status.into(),
        own_id.into(),
        rendered(Kind::Payment, y.id),
        rendered(Kind::Campaign, y.campaign_id),
        y.product.into(),
        rendered(Kind::Lead, y.lead_id),
        y.decision.into(),
        y.decision_why.into(),
        money(y.refunded, &y.currency),
        y.amount.into(),
        y.test.into(),
        at(y.disputed_at),
        at(y.received_at),
        names.join("; ").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports;
    use crate::imports::mapping::Field;

    /// An import recognises each column as itself and as no other.
    #[test]
    fn an_import_knows_the_columns() {
        let known = |kind: imports::Kind, columns: &[&str]| {
            let names: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
            let mapping = kind.guess(Some(&names), &[]);
            let known = names.into_iter().zip(mapping.columns).filter_map(|(name, field)| Some((name, field?)));
            known.map(|(name, field)| format!("{name}={}", field.name())).collect::<Vec<_>>().join(" ")
        };
        let fields: Vec<String> = LEADS[..LEADS_FIRST.len() + further_facts().count()]
            .iter()
            .map(|name| format!("{name}={}", Field::guess(name).unwrap().name()))
            .collect();
        let ours = "external_id=external_id metadata=metadata id=lead_id active=active duplicate_of=duplicate_of \
                    qualified_at=qualified_at created_at=lead_created_at";
        assert_eq!(known(imports::Kind::Leads, &LEADS), format!("{} {ours}", fields.join(" ")));
        assert!(fields.iter().all(|pair| pair.split_once('=').is_some_and(|(name, field)| name == field)));
        let contact = "name=name email=email phone=phone company=company code=code";
        let marks = "external_id=external_id metadata=metadata";
        assert_eq!(known(imports::Kind::Referrers, &REFERRERS), format!("{contact} {marks}"));
        assert_eq!(known(imports::Kind::Referrers, &CODES), "code=code name=name email=email");
        let qualified = known(imports::Kind::Qualifications, &LEADS);
        assert!(qualified.ends_with("referrer_email=referrer_email status=status qualified=qualified"), "{qualified}");
    }
}
