//! Codes are made where one is missing: product rules 19 to 21.

use refdesk::codes::{self, Enrolled, Given};
use refdesk::db::{DbResult, Key, Terms, Tx};

use crate::on_both_databases;
use crate::support::{Referrer, TestApp};

on_both_databases! {
    whoever_has_no_code_gets_one_and_nobody_gets_two,
    codes_of_a_business_never_read_alike,
}

pub async fn give(app: &TestApp, to: &[Referrer]) -> Vec<codes::Given> {
    let enrolled: Vec<Enrolled> = to
        .iter()
        .map(|r| Enrolled {
            enrollment_id: r.enrollment_id,
            business_id: app.business.id,
            campaign_id: app.business.campaign_id,
            referrer_id: r.id,
        })
        .collect();
    let terms = Terms::of(to.iter().map(|r| Key::Enrollment(r.enrollment_id)).collect()).ids(enrolled.len());
    app.app.db.write_on(terms, enrolled, give_in).await.unwrap()
}

#[expect(clippy::ptr_arg, reason = "a write lends its job the input as it owns it")]
async fn give_in(tx: &mut Tx, enrolled: &Vec<Enrolled>) -> DbResult<Vec<Given>> {
    codes::give(tx, enrolled).await
}

async fn whoever_has_no_code_gets_one_and_nobody_gets_two(app: TestApp) {
    let shop = app.shop();
    let (jane, bob) = (shop.referrer("Jane Miller").await, shop.referrer_without_code("Bob Stone").await);
    let given = give(&app, &[jane.clone(), bob.clone()]).await;
    let of = |r: &Referrer| given.iter().find(|g| g.referrer_id == r.id).unwrap();
    assert_eq!((of(&jane).made, of(&bob).made), (false, true));
    assert_eq!(of(&jane).text, jane.code, "hers is untouched");
    let again = give(&app, &[jane, bob.clone()]).await;
    assert!(again.iter().all(|g| !g.made));
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 2);
}

async fn codes_of_a_business_never_read_alike(app: TestApp) {
    let shop = app.shop();
    let mut people = Vec::new();
    for n in 0..300 {
        people.push(shop.referrer_without_code(&format!("Person {n}")).await);
    }
    give(&app, &people).await;
    let distinct = "SELECT count(DISTINCT repaired) FROM codes";
    assert_eq!(app.number(distinct).await, 300);
    for (text,) in app.rows::<(String,)>("SELECT text FROM codes").await {
        let significant = text.chars().filter(char::is_ascii_alphanumeric).count();
        assert!(significant >= 8 && text.chars().any(|c| c.is_ascii_uppercase()), "{text}");
        assert!(!text.chars().any(|c| "OILU".contains(c) || c.is_ascii_lowercase()), "{text} has look-alikes");
    }
}
