//! Campaigns, products and terms, made and changed by a program.

use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_campaign_is_made_changed_and_let_live,
    a_change_is_made_to_the_version_of_a_campaign_it_is_for,
    a_product_is_added_and_its_terms_go_on,
    terms_that_cannot_be_say_why,
    only_live_keys_with_the_scope_change_campaigns,
}

async fn a_campaign_is_made_changed_and_let_live(app: TestApp) {
    let new = json!({
        "name": "Partners", "qualify_least": { "USD": 5000, "EUR": 4500 }, "reward": { "USD": 1000 },
        "destination": "https://acme.example/welcome",
    });
    let made = call(&app, "POST", "/v1/campaigns", Some(new)).await.is(201).json();
    assert_eq!((&made["state"], &made["qualify_on"]), (&json!("draft"), &json!("payment")));
    assert_eq!(
        (&made["qualify_least"], &made["reward"]),
        (&json!({ "EUR": 4500, "USD": 5000 }), &json!({ "USD": 1000 }))
    );
    let path = format!("/v1/campaigns/{}", text(&made["id"]));
    let change = json!({ "name": "Our partners", "reward": {}, "destination": "" });
    let changed = call(&app, "PATCH", &path, Some(change)).await.is(200).json();
    assert_eq!(
        (&changed["name"], &changed["reward"], &changed["destination"], &changed["qualify_least"]),
        (&json!("Our partners"), &json!({}), &json!(""), &made["qualify_least"])
    );
    let by_hand = json!({ "qualify_on": "hand", "link_days": 30 });
    let by_hand = call(&app, "PATCH", &path, Some(by_hand)).await.is(200).json();
    assert_eq!((&made["link_days"], &by_hand["link_days"]), (&json!(90), &json!(30)));
    assert_eq!(by_hand["qualify_least"], json!({}), "another rule asks for no payment");
    let own_link = format!("{}/r/ABC", app.app.config.public_url);
    for (wrong, pointer) in [
        (json!({ "reward": { "USD": 1, "EUR": 1 } }), "/reward"),
        (json!({ "reward": { "USD": 1.5 } }), "/reward"),
        (json!({ "reward": { "USD": -1 } }), "/reward"),
        (json!({ "qualify_least": { "XXQ": 1 } }), "/qualify_least"),
        (json!({ "reward_hold_days": 3651 }), "/reward_hold_days"),
        (json!({ "link_days": 0 }), "/link_days"),
        (json!({ "link_days": 401 }), "/link_days"),
        (json!({ "destination": "javascript:alert(1)" }), "/destination"),
        (json!({ "destination": own_link }), "/destination"),
        (json!({ "colour": "red" }), "/colour"),
    ] {
        let problem = call(&app, "PATCH", &path, Some(wrong.clone())).await.is(400).json();
        assert_eq!(problem["errors"][0]["pointer"], json!(pointer), "{wrong}");
    }
    let state = |word: &str| Some(json!({ "state": word }));
    let refused = call(&app, "PUT", &format!("{path}/state"), state("paused")).await.is(409).json();
    assert_eq!(refused["detail"], "The campaign is draft, and cannot become paused.");
    for _ in 0..2 {
        assert_eq!(call(&app, "PUT", &format!("{path}/state"), state("live")).await.is(200).json()["state"], "live");
    }
    let actions: Vec<(String, String)> =
        app.rows("SELECT action, actor_kind FROM audit_entries WHERE action LIKE 'campaign.%' ORDER BY id").await;
    let actions: Vec<&str> = actions
        .iter()
        .map(|(action, kind)| {
            assert_eq!(kind, "key");
            action.as_str()
        })
        .collect();
    assert_eq!(actions, ["campaign.created", "campaign.changed", "campaign.changed", "campaign.state"]);
}

async fn a_change_is_made_to_the_version_of_a_campaign_it_is_for(app: TestApp) {
    let path = format!("/v1/campaigns/{}", app.business.campaign_id);
    let read = call(&app, "GET", &path, None).await.is(200);
    let first = read.header("etag").to_owned();
    with(&app, "GET", &path, ("if-none-match", &first), &json!({})).await.is(304);
    app.clock.set(app.clock.now().plus_seconds(1));
    with(&app, "PATCH", &path, ("if-match", &first), &json!({ "name": "Friends" })).await.is(200);
    let late = with(&app, "PATCH", &path, ("if-match", &first), &json!({ "name": "Foes" })).await.is(412).json();
    assert_eq!(late["code"], "changed_meanwhile");
    assert_eq!(call(&app, "GET", &path, None).await.json()["name"], "Friends");
}

async fn a_product_is_added_and_its_terms_go_on(app: TestApp) {
    let new = json!({ "name": "Basic", "terms": { "referral": { "percent": "12.5" }, "hold_days": 7 } });
    let made = call(&app, "POST", "/v1/products", Some(new)).await.is(201).json();
    assert_eq!((&made["name"], &made["test"]), (&json!("Basic"), &json!(false)));
    let first = &made["terms"][0];
    assert_eq!(
        (&first["number"], &first["referral"]["percent"], &first["hold_days"]),
        (&json!(1), &json!("12.5"), &json!(7))
    );
    assert_eq!(first["recurring"], first["referral"], "as the first, where nothing is said");
    let path = format!("/v1/products/{}", text(&made["id"]));
    let later = json!({
        "valid_from": "2026-07-01", "referral": { "percent": 20 }, "recurring": { "flat": { "USD": 250, "EUR": 200 } },
        "recurring_limit": "months", "recurring_count": 12,
    });
    let now = call(&app, "POST", &format!("{path}/terms"), Some(later)).await.is(201).json();
    let newest = &now["terms"][0];
    assert_eq!(
        (&newest["number"], &newest["valid_from"], &newest["referral"]["percent"], &newest["hold_days"]),
        (&json!(2), &json!("2026-07-01"), &json!("20"), &json!(14))
    );
    assert_eq!(newest["recurring"], json!({ "percent": null, "flat": { "EUR": 200, "USD": 250 } }));
    assert_eq!((&newest["recurring_limit"], &newest["recurring_count"]), (&json!("months"), &json!(12)));
    let today = json!({ "referral": { "percent": "0" } });
    let today = call(&app, "POST", &format!("{path}/terms"), Some(today)).await.is(201).json();
    assert_eq!(today["terms"][0]["valid_from"], "2026-06-20");
    let renamed = call(&app, "PATCH", &path, Some(json!({ "name": "Basic, yearly" }))).await.is(200).json();
    assert_eq!((&renamed["name"], &renamed["terms"]), (&json!("Basic, yearly"), &today["terms"]));
    // The terms in force pay at once.
    let jane = app.shop().referrer("Jane Miller").await;
    let sign_up = json!({ "businessId": app.business.public_id, "productId": made["id"], "customerEmail": "amy@example.com",
        "customerName": "Amy", "referralCode": jane.code });
    app.api_post("/api/events/customer-created", sign_up).await.is(200);
    let payment = json!({ "businessId": app.business.public_id, "productId": made["id"], "customerEmail": "amy@example.com",
        "amount": 100, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-19" });
    let paid = app.api_post("/api/events/payment-succeeded", payment).await.is(200).json();
    assert_eq!(paid["commissionAmount"], json!(12.5));
}

async fn terms_that_cannot_be_say_why(app: TestApp) {
    let path = format!("/v1/products/{}/terms", app.business.product_id);
    for (wrong, pointer) in [
        (json!({}), "/referral"),
        (json!({ "referral": {} }), "/referral/percent"),
        (json!({ "referral": { "percent": 20, "flat": { "USD": 1 } } }), "/referral/flat"),
        (json!({ "referral": { "percent": 101 } }), "/referral/percent"),
        (json!({ "referral": { "percent": "12.34567" } }), "/referral/percent"),
        (json!({ "referral": { "flat": {} } }), "/referral/flat"),
        (json!({ "referral": { "percent": 1 }, "recurring_limit": "months" }), "/recurring_count"),
        (json!({ "referral": { "percent": 1 }, "recurring_count": 3 }), "/recurring_count"),
        (json!({ "referral": { "percent": 1 }, "hold_days": -1 }), "/hold_days"),
        (json!({ "referral": { "percent": 1 }, "valid_from": "tomorrow" }), "/valid_from"),
    ] {
        let problem = call(&app, "POST", &path, Some(wrong.clone())).await.is(400).json();
        assert_eq!(problem["errors"][0]["pointer"], json!(pointer), "{wrong}: {problem}");
    }
    let first = json!({ "name": "Basic", "terms": { "referral": { "percent": 1 }, "valid_from": "2026-07-01" } });
    let problem = call(&app, "POST", "/v1/products", Some(first)).await.is(400).json();
    assert_eq!(problem["errors"][0]["pointer"], "/terms/valid_from");
    assert_eq!(app.number("SELECT count(*) FROM terms").await, 1);
}

async fn only_live_keys_with_the_scope_change_campaigns(app: TestApp) {
    let other = app.another_business("Other").await.api_key;
    let terms = json!({ "referral": { "percent": 1 } });
    let (campaign, product) = (app.business.campaign_id, app.business.product_id.clone());
    let calls: Vec<(&str, String, Json)> = vec![
        ("PATCH", format!("/v1/campaigns/{campaign}"), json!({ "name": "Mine" })),
        ("PUT", format!("/v1/campaigns/{campaign}/state"), json!({ "state": "ended" })),
        ("PATCH", format!("/v1/products/{product}"), json!({ "name": "Mine" })),
        ("POST", format!("/v1/products/{product}/terms"), terms.clone()),
    ];
    let test_key = app.key(false).await;
    for (method, path, body) in &calls {
        app.call(method, path, &other, Some(body.clone())).await.is(404);
        app.call(method, path, &test_key, Some(body.clone())).await.is(403);
    }
    let elsewhere = json!({ "name": "Mine", "campaign": campaign, "terms": terms });
    app.call("POST", "/v1/products", &other, Some(elsewhere)).await.is(400);
    app.arrange("UPDATE api_keys SET scopes = 'campaigns:read'").await;
    app.app.keys.forget();
    for (method, path, body) in calls {
        call(&app, method, &path, Some(body)).await.is(403);
    }
    let untouched = "SELECT count(*) FROM audit_entries WHERE action LIKE 'campaign.%' OR action LIKE 'terms.%' OR action LIKE 'product.re%'";
    assert_eq!(app.number(untouched).await, 0);
}
