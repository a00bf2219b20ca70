//! Attribution: product rules 12 to 17.

use crate::support::Outcome;
use refdesk::engine::{Approve, Change, ClaimBy, ClaimRefusal, Merge, PayBack, Qualify, Reattribute, Void, What};

use crate::on_both_databases;
use crate::support::{Referrer, Shop, TestApp, actor, address_of, earned};

on_both_databases! {
    the_first_touch_wins_and_stays,
    a_code_is_found_however_it_is_written,
    a_repeated_sign_up_changes_nothing_and_its_code_is_offered,
    a_person_known_otherwise_is_reused,
    payments_of_the_last_day_earn_with_the_sign_up,
    older_payments_wait_for_a_preview,
    a_code_that_does_not_count_never_fails_a_sign_up,
    nobody_refers_themselves,
    a_draft_attributes_test_leads_only,
    pausing_stops_new_attributions_only,
    a_banned_referrer_earns_nothing_new,
    a_code_of_another_campaign_counts_through_an_enrollment_here,
    staff_move_a_lead_and_its_unpaid_money,
    money_taken_away_with_an_attribution_comes_back_with_the_next,
    a_duplicate_row_earns_nothing_and_can_be_merged,
    of_two_leads_that_become_one_the_earliest_touch_counts,
}

async fn referrer_of(app: &TestApp, lead: i64) -> Option<i64> {
    app.rows::<(Option<i64>,)>(&format!("SELECT referrer_id FROM leads WHERE id = {lead}")).await[0].0
}

async fn inbox(app: &TestApp) -> Vec<String> {
    let rows: Vec<(String,)> = app.rows("SELECT kind FROM inbox_items WHERE state = 'open' ORDER BY id").await;
    rows.into_iter().map(|(kind,)| kind).collect()
}

/// Signs up with a code; answers what the rules said.
async fn signed_up(shop: Shop<'_>, address: &str, code: &str) -> (i64, Option<i64>, Option<ClaimRefusal>) {
    match shop.sign_up(address, Some(code)).await {
        Outcome::SignedUp { lead_id, referrer_id, refused, .. } => (lead_id, referrer_id, refused),
        other => panic!("{other:?}"),
    }
}

async fn the_first_touch_wins_and_stays(app: TestApp) {
    let shop = app.shop();
    let (jane, bob) = (shop.referrer("Jane Miller").await, shop.referrer("Bob Stone").await);
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    let claim = shop.lead_event("Amy", None, Some(ClaimBy::Code(bob.code.clone())));
    let What::AddLead(mut add) = claim else { unreachable!() };
    add.contact.email = Some("amy@example.com".into());
    add.contact.email_key = Some("amy@example.com".into());
    let outcome = shop.send(What::AddLead(add)).await;
    assert!(matches!(outcome, Outcome::LeadKnown { attributed: false, .. }), "{outcome:?}");
    assert_eq!(referrer_of(&app, lead).await, Some(jane.id));
    let touches: Vec<(Option<i64>, String)> = app.rows("SELECT referrer_id, kind FROM touches ORDER BY id").await;
    assert_eq!(touches, [(Some(jane.id), "event".into()), (Some(bob.id), "verbal".into())], "also claimed by Bob");
}

async fn a_code_is_found_however_it_is_written(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let bare: String = jane.code.chars().filter(char::is_ascii_alphanumeric).collect();
    let spellings = [
        jane.code.clone(),
        bare.clone(),
        bare.to_lowercase(),
        format!("  {}  ", jane.code),
        bare.chars().map(|c| format!("{c} ")).collect(),
        bare.replace('0', "O").replace('1', "I"),
    ];
    for (n, code) in spellings.iter().enumerate() {
        let (_, referrer, refused) = signed_up(shop, &format!("amy{n}@example.com"), code).await;
        assert_eq!((referrer, refused), (Some(jane.id), None), "{code:?}");
    }
}

async fn a_repeated_sign_up_changes_nothing_and_its_code_is_offered(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", None).await;
    let again = shop.sign_up("AMY@example.com", Some(&jane.code)).await;
    assert_eq!(again, Outcome::SignUpDuplicate { lead_id: lead, referrer_id: None });
    shop.sign_up("amy@example.com", Some(&jane.code)).await;
    assert_eq!(inbox(&app).await, ["late_claim"]);
    assert_eq!(app.number("SELECT count(*) FROM touches").await, 1, "the same code is one touch");
    assert_eq!(referrer_of(&app, lead).await, None);
    let plus = shop.lead("amy+two@example.com", None).await;
    assert_ne!(plus, lead, "a plus tag is another address");
}

async fn a_person_known_otherwise_is_reused(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let added = shop.send(shop.lead_event("Amy Pond", Some("+1 202 555 0142"), None)).await;
    let Outcome::LeadAdded { lead_id, .. } = added else { panic!("{added:?}") };
    let Outcome::SignedUp { lead_id: same, known, referrer_id, .. } =
        shop.sign_up(&address_of("Amy Pond"), Some(&jane.code)).await
    else {
        panic!("a duplicate")
    };
    assert_eq!((same, known, referrer_id), (lead_id, true, Some(jane.id)));
    // By another product of the campaign: still the same person.
    let other = shop.product("Team plan", false).await;
    let What::SignUp(mut event) = shop.sign_up_event(&address_of("Amy Pond"), None) else { unreachable!() };
    event.of.product_id = other.into();
    let Outcome::SignedUp { lead_id: third, .. } = shop.send(What::SignUp(event)).await else { panic!("a duplicate") };
    assert_eq!(third, lead_id);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
}

async fn payments_of_the_last_day_earn_with_the_sign_up(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-20").await), None);
    app.clock.set(app.clock.now().plus_seconds(24 * 3600 - 1));
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let held = app.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries WHERE account = 'held'").await;
    assert_eq!(held, 2_000);
    assert_eq!(app.rows::<(String,)>("SELECT status FROM leads").await[0].0, "converted");
    assert!(inbox(&app).await.is_empty());
}

async fn older_payments_wait_for_a_preview(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    app.clock.set(app.clock.now().plus_seconds(24 * 3600 + 1));
    shop.pay("amy@example.com", "50.00", "2026-06-21").await;
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 1, "the younger one earned");
    assert_eq!(inbox(&app).await, ["older_payments"]);
    let (outcomes, work) = app.app.engine.preview(vec![shop.event(PayBack::of(lead.into()))]).await.unwrap();
    assert!(outcomes[0].as_ref().is_ok_and(Change::changed), "{outcomes:?}");
    assert_eq!(work.writes.new_commissions.len(), 1, "the preview shows what it would earn");
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 1, "and keeps none of it");
    assert_eq!(shop.send(PayBack::of(lead.into())).await, Outcome::Done { id: lead, changed: true });
    assert_eq!(shop.send(PayBack::of(lead.into())).await, Outcome::Done { id: lead, changed: false });
    assert_eq!(app.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, 3_000);
}

async fn a_code_that_does_not_count_never_fails_a_sign_up(app: TestApp) {
    let shop = app.shop();
    let of = async |name: &str, change: &str| {
        let r: Referrer = shop.referrer(name).await;
        app.arrange(&change.replace("ID", &r.enrollment_id.to_string())).await;
        r.code
    };
    let paused = of("Paul Pause", "UPDATE enrollments SET state = 'paused' WHERE id = ID").await;
    let banned = of("Bert Ban", "UPDATE enrollments SET state = 'banned' WHERE id = ID").await;
    let art = shop.referrer("Art Hive").await;
    refdesk::referrers::archive(&app.app, &actor(), app.business.id, art.id, true).await.unwrap();
    let archived = art.code;
    let retired = of("Rita Tire", "UPDATE codes SET state = 'retired' WHERE enrollment_id = ID").await;
    app.arrange(
        "UPDATE enrollments SET has_code = false WHERE id IN (SELECT enrollment_id FROM codes WHERE state = 'retired')",
    )
    .await;
    let unknown = "ZZ-NOBODY".to_owned();
    for (n, (code, why)) in [
        (paused, ClaimRefusal::Paused),
        (banned, ClaimRefusal::Banned),
        (archived, ClaimRefusal::Archived),
        (retired, ClaimRefusal::RetiredCode),
        (unknown, ClaimRefusal::UnknownCode),
    ]
    .into_iter()
    .enumerate()
    {
        let (lead, referrer, refused) = signed_up(shop, &format!("amy{n}@example.com"), &code).await;
        assert_eq!((referrer, refused), (None, Some(why)));
        assert_eq!(inbox(&app).await[n], why.word());
        assert_eq!(referrer_of(&app, lead).await, None);
    }
    for state in ["paused", "ended", "draft"] {
        let jane = shop.referrer(&format!("Jane {state}")).await;
        app.arrange(&format!("UPDATE campaigns SET state = '{state}'")).await;
        let (_, _, refused) = signed_up(shop, &format!("{state}@example.com"), &jane.code).await;
        assert_eq!(refused, Some(ClaimRefusal::CampaignNotLive), "{state}");
    }
}

async fn nobody_refers_themselves(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let (lead, referrer, refused) = signed_up(shop, "JANE.miller@example.org", &jane.code).await;
    assert_eq!((referrer, refused), (None, Some(ClaimRefusal::SelfReferral)));
    assert_eq!(inbox(&app).await, ["self_referral"]);
    let reason = "she asked".to_owned();
    let to = Some(jane.enrollment_id);
    let by_staff = shop
        .send(Reattribute { lead_id: lead.into(), to: to.map(Into::into), code_id: None, reason, pay_back: true })
        .await;
    assert!(matches!(by_staff, Outcome::Refused { .. }), "{by_staff:?}");
    assert_eq!(earned(&shop.pay("jane.miller@example.org", "100.00", "2026-06-20").await), None);
}

async fn a_draft_attributes_test_leads_only(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let live = shop.lead("amy@example.com", None).await;
    let What::SignUp(mut tried) = shop.sign_up_event("try@example.com", None) else { unreachable!() };
    tried.of.scope.test = true;
    let Outcome::SignedUp { lead_id: tried, .. } = shop.send(What::SignUp(tried)).await else { panic!("known") };
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    app.arrange("UPDATE campaigns SET state = 'draft'").await;
    let to = async |lead_id: i64| {
        let (to, reason) = (Some(jane.enrollment_id), "she did".to_owned());
        shop.send(Reattribute {
            lead_id: lead_id.into(),
            to: to.map(Into::into),
            code_id: None,
            reason,
            pay_back: true,
        })
        .await
    };
    assert!(matches!(to(live).await, Outcome::Refused { why } if why.contains("draft")));
    assert_eq!(to(tried).await, Outcome::Done { id: tried, changed: true });
    assert_eq!(app.number("SELECT count(*) FROM ledger_entries").await, 0);
    app.arrange("UPDATE campaigns SET state = 'live'").await;
    assert_eq!(to(live).await, Outcome::Done { id: live, changed: true });
    // However a live lead came by a referrer: no money while the campaign is a draft.
    app.arrange("UPDATE campaigns SET state = 'draft'").await;
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-21").await), None);
    app.arrange("UPDATE campaigns SET state = 'live'").await;
    shop.send(PayBack::of(live.into())).await;
    assert_eq!(app.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, 4_000);
}

async fn pausing_stops_new_attributions_only(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    app.arrange("UPDATE enrollments SET state = 'paused'").await;
    assert!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-20").await).is_some());
    app.arrange("UPDATE enrollments SET state = 'active'").await;
    app.arrange("UPDATE campaigns SET state = 'ended'").await;
    assert!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-21").await).is_some());
}

async fn a_banned_referrer_earns_nothing_new(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-05-20").await;
    app.arrange("UPDATE enrollments SET state = 'banned'").await;
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-20").await), None);
    let swept = refdesk::sweep::all(&app.app).await.unwrap();
    assert_eq!((swept.approved, swept.held_back), (0, 1), "what they had stays out of payouts");
    let commission = app.number("SELECT id FROM commissions").await;
    let reason = Some("checked".to_owned());
    let released = shop.send(Approve { commission_id: commission.into(), reason }).await;
    assert_eq!(released, Outcome::Done { id: commission, changed: true });
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'approved' AND released").await, 1);
}

async fn a_code_of_another_campaign_counts_through_an_enrollment_here(app: TestApp) {
    let shop = app.shop();
    let winter = shop.campaign("Winter").await;
    let jane = shop.referrer_in(winter, "Jane Miller", true).await;
    let (_, referrer, refused) = signed_up(shop, "amy@example.com", &jane.code).await;
    assert_eq!((referrer, refused), (None, Some(ClaimRefusal::OtherCampaign)));
    let here = shop.referrer_without_code("Jane Miller").await;
    assert_eq!(here.id, jane.id, "one person in two campaigns");
    let (lead, referrer, _) = signed_up(shop, "bob@example.com", &jane.code).await;
    assert_eq!(referrer, Some(jane.id));
    let enrollment = app.number(&format!("SELECT enrollment_id FROM leads WHERE id = {lead}")).await;
    assert_eq!(enrollment, here.enrollment_id);
}

async fn staff_move_a_lead_and_its_unpaid_money(app: TestApp) {
    let shop = app.shop();
    let (jane, bob) = (shop.referrer("Jane Miller").await, shop.referrer("Bob Stone").await);
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    shop.pay("amy@example.com", "50.00", "2026-06-21").await;
    let to = |r: &Referrer| {
        What::Reattribute(Reattribute {
            lead_id: lead.into(),
            to: Some(r.enrollment_id.into()),
            code_id: None,
            reason: "Bob brought her".into(),
            pay_back: false,
        })
    };
    let balance = async |r: &Referrer| {
        app.number(&format!(
            "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE referrer_id = {}",
            r.id
        ))
        .await
    };
    assert_eq!(shop.send(to(&bob)).await, Outcome::Done { id: lead, changed: true });
    assert_eq!((balance(&jane).await, balance(&bob).await), (0, 3_000));
    assert_eq!(shop.send(to(&bob)).await, Outcome::Done { id: lead, changed: false });
    // And back: the same commissions, not new ones.
    shop.send(to(&jane)).await;
    assert_eq!((balance(&jane).await, balance(&bob).await), (3_000, 0));
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 4);
    let nobody = What::Reattribute(Reattribute {
        lead_id: lead.into(),
        to: None,
        code_id: None,
        reason: "a mistake".into(),
        pay_back: false,
    });
    shop.send(nobody).await;
    assert_eq!((balance(&jane).await, balance(&bob).await), (0, 0));
    assert_eq!(referrer_of(&app, lead).await, None);
}

async fn money_taken_away_with_an_attribution_comes_back_with_the_next(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET reward = '{\"USD\": 500}'").await;
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    for date in ["2026-06-17", "2026-06-18", "2026-06-19"] {
        shop.pay("amy@example.com", "100.00", date).await;
    }
    let commission_of = async |date: &str| {
        app.number(&format!(
            "SELECT min(c.id) FROM commissions c JOIN payments p ON p.id = c.payment_id WHERE p.payment_date = '{date}'"
        ))
        .await
    };
    let (paid, fraud) = (commission_of("2026-06-17").await, commission_of("2026-06-18").await);
    shop.send(Void { commission_id: fraud.into(), reason: "fraud".into() }).await;
    let to = async |to: Option<&Referrer>| {
        let to = to.map(|r| r.enrollment_id);
        let reason = "a correction".to_owned();
        shop.send(Reattribute { lead_id: lead.into(), to: to.map(Into::into), code_id: None, reason, pay_back: false })
            .await
    };
    let held = async |r: &Referrer| {
        let sum = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = 'held'";
        app.number(&format!("{sum} AND referrer_id = {}", r.id)).await
    };
    assert_eq!(held(&jane).await, 4_500);
    to(None).await;
    assert_eq!(held(&jane).await, 0);
    to(Some(&tom)).await;
    // A commission that staff voided stays void, and puts the reward for somebody else in doubt.
    assert_eq!((held(&jane).await, held(&tom).await), (0, 4_000));
    to(None).await;
    to(Some(&jane)).await;
    assert_eq!((held(&jane).await, held(&tom).await), (4_500, 0));
    // A paid commission stays where it is, and is not earned a second time.
    shop.pay_commission(paid).await;
    to(None).await;
    to(Some(&tom)).await;
    assert_eq!(held(&tom).await, 2_000);
}

async fn a_duplicate_row_earns_nothing_and_can_be_merged(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let primary = shop.lead(&address_of("Amy Pond"), Some(&jane.code)).await;
    let What::AddLead(mut add) = shop.lead_event("Amy Pond", None, None) else { unreachable!() };
    add.repeats_allowed = true;
    let outcome = shop.send(What::AddLead(add)).await;
    let Outcome::LeadAdded { lead_id, duplicate_of, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(duplicate_of, Some(primary));
    let qualified = shop.send(Qualify { lead_id: lead_id.into(), qualified: true, reason: None }).await;
    assert!(matches!(qualified, Outcome::Refused { .. }), "{qualified:?}");
    assert!(earned(&shop.pay(&address_of("Amy Pond"), "100.00", "2026-06-20").await).is_some());
    let merged = shop.send(Merge { lead_id: lead_id.into(), into: primary.into() }).await;
    assert_eq!(merged, Outcome::Done { id: primary, changed: true });
}

async fn of_two_leads_that_become_one_the_earliest_touch_counts(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let by_phone = |n: usize, referrer: Option<&Referrer>| {
        let claim = referrer.map(|r| ClaimBy::Enrollment(r.enrollment_id.into()));
        let phone = format!("+1 415 555 26{n:02}");
        let What::AddLead(mut add) = shop.lead_event("Amy", Some(&phone), claim) else { unreachable!() };
        (add.contact.email, add.contact.email_key) = (None, None);
        What::AddLead(add)
    };
    let by_address = |n: usize, referrer: Option<&Referrer>| {
        let claim = referrer.map(|r| ClaimBy::Enrollment(r.enrollment_id.into()));
        shop.lead_event(&format!("Amy {n}"), None, claim)
    };
    let made = |outcome: Outcome| match outcome {
        Outcome::LeadAdded { lead_id, .. } => lead_id,
        other => panic!("{other:?}"),
    };
    let staff_say = async |lead_id: i64, to: Option<&Referrer>| {
        let (to, reason) = (to.map(|r| r.enrollment_id), "they know".to_owned());
        shop.send(Reattribute {
            lead_id: lead_id.into(),
            to: to.map(Into::into),
            code_id: None,
            reason,
            pay_back: false,
        })
        .await;
    };
    // The lead that was made later was touched earlier; and the other way round.
    let to = made(shop.send(by_address(1, None)).await);
    app.clock.advance_days(1);
    let from = made(shop.send(by_phone(1, Some(&jane))).await);
    app.clock.advance_days(1);
    shop.send(by_address(1, Some(&tom))).await;
    shop.send(Merge { lead_id: from.into(), into: to.into() }).await;
    assert_eq!(referrer_of(&app, to).await, Some(jane.id), "Jane was first");

    let from = made(shop.send(by_phone(2, None)).await);
    app.clock.advance_days(1);
    let to = made(shop.send(by_address(2, Some(&jane))).await);
    app.clock.advance_days(1);
    shop.send(by_phone(2, Some(&tom))).await;
    shop.send(Merge { lead_id: from.into(), into: to.into() }).await;
    assert_eq!(referrer_of(&app, to).await, Some(jane.id), "Tom came later");

    // A merge leaves a decision of staff about the lead that stays.
    for (n, decided) in [(3, Some(&tom)), (4, None)] {
        let from = made(shop.send(by_phone(n, Some(&jane))).await);
        let to = made(shop.send(by_address(n, Some(&jane))).await);
        app.clock.advance_days(1);
        staff_say(to, decided).await;
        shop.send(Merge { lead_id: from.into(), into: to.into() }).await;
        assert_eq!(referrer_of(&app, to).await, decided.map(|r| r.id), "{n}");
    }
}
