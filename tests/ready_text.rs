//! /campaigns/{id}/text, /enrollments/{id}/text and /codes/texts

use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_referrer_is_told_their_link_and_code,
    a_campaign_has_its_own_words,
    the_text_names_what_referrers_earn_and_customers_get,
    the_texts_of_a_batch_are_a_file,
    who_has_no_code_is_told_nothing,
}

async fn a_referrer_is_told_their_link_and_code(app: TestApp) {
    app.sign_in().await;
    let added = [("name", "Jane Njeri & Co"), ("email", "jane+1@example.org"), ("generate", "yes")];
    let list = app.post_form("/referrers", &added).await.follow().await.is(200);
    let path = list.attr(".flash a", "href");
    let id = app.number("SELECT id FROM enrollments").await;
    assert_eq!(path, format!("/enrollments/{id}/text"));
    let (code,) = app.rows::<(String,)>("SELECT text FROM codes").await.remove(0);
    let page = app.get(&path).await.is(200);
    let text = page.text("textarea");
    assert!(text.starts_with("Hi Jane,"), "{text}");
    let (business,) = app.rows::<(String,)>("SELECT name FROM businesses").await.remove(0);
    for part in [&code, &format!("{}/r/{code}", app.app.config.public_url), &business] {
        assert!(text.contains(part.as_str()), "{part} is not in {text}");
    }
    let copied = page.attr("button[data-copy]", "data-copy");
    assert_eq!(copied.split_whitespace().collect::<Vec<_>>().join(" "), text);
    assert!(copied.starts_with("Hi Jane,\n\n"), "the lines stay");
    assert!(page.has("button[data-share][hidden]"), "shown by script where the phone can share");
    let mail = page.attr("a[href^='mailto:']", "href");
    assert!(mail.starts_with("mailto:jane%2B1%40example.org?subject=Your%20link"), "{mail}");
    assert!(mail.contains("body=Hi%20Jane%2C%0D%0A"), "{mail}");
    let whatsapp = page.attr("a[href^='https://wa.me/?text=']", "href");
    app.tamper("UPDATE referrers SET phone = '0712 123 456', phone_key = '+254712123456'").await;
    assert!(app.get(&path).await.has("a[href^='https://wa.me/254712123456?text=']"), "straight to them");
    assert!(whatsapp.contains("Hi%20Jane%2C%0A") && whatsapp.contains(&code), "{whatsapp}");
    let referrer = app.number("SELECT id FROM referrers").await;
    let person = app.get(&format!("/referrers/{referrer}")).await.is(200);
    assert!(person.has(&format!("a[href='{path}']")));
    assert!(app.get("/codes").await.has(&format!("a[href='{path}']")));
    let sales = app.member(Role::Sales).await;
    assert!(!sales.get(&path).await.is(200).has("a[href$='/text']"), "sales send the text and do not change it");
}

async fn a_campaign_has_its_own_words(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Njeri").await;
    let path = format!("/campaigns/{}/text", app.business.campaign_id);
    assert!(app.get(&path).await.is(200).text("#f-text").starts_with("Hi {first_name},"));
    for (text, part) in [("Hello {name}", "names neither {link} nor {code}"), ("{code} {nickname}", "has {nickname}")] {
        let page = app.post_form(&path, &[("text", text)]).await.is(422);
        assert!(page.error_at("text").starts_with("The text ") && page.error_at("text").contains(part));
        assert_eq!(page.text("#f-text"), text);
    }
    let preview = app.post_form(&path, &[("text", "Dear {name}: {code}"), ("do", "preview")]).await;
    assert!(preview.is(200).text(".letter").starts_with("Dear Jane Njeri: "));
    assert_eq!(
        app.number("SELECT count(*) FROM campaigns WHERE ready_text <> ''").await,
        0,
        "a preview stores nothing"
    );
    // As two people had the page open.
    let seen = app.get(&path).await.field("seen");
    let fields = [("text", "Dear {name} of {campaign}: {code}"), ("seen", seen.as_str())];
    app.post_form(&path, &fields).await.goes_to(&path);
    let late = app.post_form(&path, &[("text", "Hi {name}: {link}"), ("seen", seen.as_str())]).await.is(409);
    assert!(late.error_at("text").contains("meanwhile") && late.text(".letter").starts_with("Dear Jane Njeri of"));
    assert_eq!(late.text("#f-text"), "Hi {name}: {link}", "nothing typed is lost");
    let told = app.get(&format!("/enrollments/{}/text", jane.enrollment_id)).await.is(200);
    assert_eq!(told.text("textarea"), format!("Dear Jane Njeri of Refer a friend: {}", jane.code));
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'campaign.text'").await, 1);
    app.post_form(&path, &[("text", ""), ("seen", late.field("seen").as_str())]).await.goes_to(&path);
    assert!(app.get(&path).await.text("#f-text").starts_with("Hi {first_name},"), "the usual one again");
}

async fn the_text_names_what_referrers_earn_and_customers_get(app: TestApp) {
    app.sign_in().await;
    let ann = app.shop().referrer("Ann Ash").await;
    let path = format!("/campaigns/{}/text", app.business.campaign_id);
    let text = "{code}: you earn {reward}. Your friend gets {offer}.";
    app.post_form(&path, &[("text", text), ("do", "preview")])
        .await
        .is(200)
        .says("you earn 20 % of the first payment; 20 % of later ones.")
        .says("this campaign has none: there is a gap");
    app.arrange("UPDATE campaigns SET offer = '10 % off'").await;
    let saved = app.post_form(&path, &[("text", text)]).await.follow().await.is(200);
    saved.says("Your friend gets 10 % off.").does_not_say("there is a gap");
    let told = app.get(&format!("/enrollments/{}/text", ann.enrollment_id)).await.is(200);
    told.says("you earn 20 % of the first payment; 20 % of later ones. Your friend gets 10 % off.");
    app.arrange("UPDATE referrers SET phone_key = '+14155552671'").await;
    let file = app.get("/codes/texts").await.is(200);
    assert!(file.body.contains(",+14155552671,") || file.body.contains(",'+14155552671,"), "{}", file.body);
    assert!(file.body.contains("Your friend gets 10 % off."), "{}", file.body);
}

async fn the_texts_of_a_batch_are_a_file(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    shop.referrer("Before Them").await;
    shop.referrer_without_code("Ann A").await;
    let ben = shop.referrer_without_code("=Ben B").await;
    app.post_form(&format!("/campaigns/{}/text", app.business.campaign_id), &[("text", "Hi {name}:\n{link}")]).await;
    app.clock.advance_days(1);
    let answer = app.with_jobs(app.post_form("/referrers/generate", &[])).await.is(303);
    let result = app.get(answer.header("location")).await.is(200);
    let file = app.get(&result.attr(".actions .primary", "href")).await.is(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.body.starts_with("name,email,phone,code,link,text\r\n"), "{}", file.body);
    let link = format!("{}/r/", app.app.config.public_url);
    assert!(file.body.contains(&format!(",\"Hi Ann A:\n{link}")), "{}", file.body);
    assert!(file.body.contains("'=Ben B,") && !file.body.contains("Before Them"), "{}", file.body);
    app.post_form(&format!("/enrollments/{}/state", ben.enrollment_id), &[("to", "paused")]).await.is(303);
    assert!(!app.get("/codes/texts").await.is(200).body.contains("Ben B"), "the paused are not told");
    assert!(app.get("/codes/texts").await.body.contains("Before Them"));
    app.member(Role::Sales).await.get("/codes/texts").await.is(403);
    // Codes that count for nobody are told to nobody.
    app.tamper("UPDATE campaigns SET state = 'paused'").await;
    let refused = app.get("/codes/texts").await.is(303).follow().await;
    assert!(refused.flash().contains("is paused"), "{}", refused.flash());
    app.get(&format!("/enrollments/{}/text", ben.enrollment_id)).await.is(200).says("paused");
}

async fn who_has_no_code_is_told_nothing(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer_without_code("Jane Njeri").await;
    let path = format!("/enrollments/{}/text", jane.enrollment_id);
    let page = app.get(&path).await.is(200);
    assert!(!page.has("textarea") && !page.has("a[href^='https://']"));
    assert_eq!(page.texts(".note button"), ["Generate code"]);
    let back = page.attr(".note [name=back]", "value");
    let url = format!("/enrollments/{}/generate", jane.enrollment_id);
    let page = app.post_form(&url, &[("back", &back)]).await.goes_to(&path).follow().await;
    assert!(page.is(200).text("textarea").contains("/r/"));
    app.tamper("UPDATE enrollments SET state = 'banned'").await;
    assert!(app.get(&path).await.text(".note").contains("Jane Njeri is banned"));
}
