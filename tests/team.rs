//! /team and /invitation

use futures::future::join_all;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{PASSWORD, TestApp, ThreeNodes, Visitor};

on_both_databases! {
    somebody_new_joins_by_the_link_once,
    somebody_known_signs_in_and_joins,
    an_invitation_ends_by_time_by_hand_and_by_a_newer_one,
    the_last_owner_stays,
    two_owners_who_leave_at_once_leave_one,
    a_removed_member_loses_the_business_at_once,
    a_role_holds_from_the_next_click,
    the_team_of_another_business_is_not_there,
}

async fn invite(app: &TestApp, email: &str, role: &str) -> String {
    let page = app.post_form("/team/invitations", &[("email", email), ("role", role)]).await.is(200);
    let link = page.text("#secret");
    link.strip_prefix(&app.url("")).unwrap_or_else(|| panic!("{link} is on this server")).to_owned()
}

const NEW: [(&str, &str); 2] = [("name", "Jane Njeri"), ("password", "seven green boats")];

async fn somebody_new_joins_by_the_link_once(app: TestApp) {
    app.sign_in().await;
    let link = invite(&app, "jane@example.org", "sales").await;
    let token = link.strip_prefix("/invitation/").unwrap().to_owned();
    assert_eq!(app.number(&format!("SELECT count(*) FROM invitations WHERE token_hash = '{token}'")).await, 0);
    assert_eq!(app.get("/team").await.is(200).texts("tr[id^=invitation] .name"), ["jane@example.org"]);

    let jane = app.stranger();
    jane.get(&link).await.is(200).says("Acme Owner invited jane@example.org as sales.");
    let refused = jane.post_form(&link, &[("name", ""), ("password", "jane 2026 jane")]).await.is(422);
    assert_eq!(refused.error_at("name"), "Your name is missing.");
    assert_eq!(refused.field("password"), "");
    let close = jane.post_form(&link, &[("name", "Jane"), ("password", "jane2026!!!!")]).await.is(422);
    assert_eq!(close.error_at("password"), "The password must not be made of your address or the business's name.");

    jane.post_form(&link, &NEW).await.goes_to("/");
    assert_eq!(jane.get("/").await.is(200).text(".me-words small"), "Sales");
    for visitor in [&jane, &app.stranger()] {
        visitor.get(&link).await.is(404).says("It was used already.");
        visitor.post_form(&link, &NEW).await.is(404);
    }
    app.stranger().sign_in_as("jane@example.org", "seven green boats").await.goes_to("/");
    app.stranger().get("/invitation/nothing").await.is(404).says("There is no such invitation.");
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_key = 'jane@example.org'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'member.joined'").await, 1);
}

async fn somebody_known_signs_in_and_joins(app: TestApp) {
    app.sign_in().await;
    let other = app.another_business("Globex").await;
    let known = app.add_member(&other, Role::Owner).await;
    let link = invite(&app, &known.to_uppercase(), "marketing").await;

    let visitor = app.stranger();
    let page = visitor.get(&link).await.is(200);
    assert_eq!(page.attr("main .actions a", "href"), format!("/sign-in?back={link}"));
    visitor.post_form(&link, &NEW).await.is(422);
    app.get(&link).await.is(200).says("You are signed in as owner@example.com");
    app.post_form(&link, &[]).await.is(422);

    visitor.post_form("/sign-in", &[("email", &known), ("password", PASSWORD), ("back", &link)]).await.goes_to(&link);
    visitor.get(&link).await.is(200).says("Join Acme");
    visitor.post_form(&link, &[]).await.goes_to("/");
    let home = visitor.get("/").await.is(200);
    assert_eq!((home.text(".brand span"), home.text(".me-words small")), ("Acme".into(), "Marketing".into()));
    assert_eq!(home.texts("#switch-business option"), ["Acme", "Globex"]);
    let again = app.post_form("/team/invitations", &[("email", &known), ("role", "owner")]).await.is(422);
    assert!(again.error_at("email").contains("is on the team with this address already"));
}

async fn an_invitation_ends_by_time_by_hand_and_by_a_newer_one(app: TestApp) {
    app.sign_in().await;
    let first = invite(&app, "jane@example.org", "owner").await;
    let second = invite(&app, "jane@example.org", "sales").await;
    let jane = app.stranger();
    jane.get(&first).await.is(404).says("It was withdrawn.");
    jane.get(&second).await.is(200);

    let id = app.number("SELECT max(id) FROM invitations").await;
    let withdraw = format!("/team/invitations/{id}/withdraw");
    app.post_form(&withdraw, &[]).await.goes_to("/team");
    jane.post_form(&second, &NEW).await.is(404).says("It was withdrawn.");
    let again = app.post_form(&withdraw, &[]).await.follow().await;
    assert!(again.flash().ends_with("That invitation was accepted or withdrawn before."), "{}", again.flash());

    let third = invite(&app, "jane@example.org", "sales").await;
    app.clock.advance_days(7);
    jane.get(&third).await.is(404).says("It has expired.");
    jane.post_form(&third, &NEW).await.is(404);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn the_last_owner_stays(app: TestApp) {
    app.sign_in().await;
    let me = app.business.owner_id;
    let (role, remove) = (format!("/team/members/{me}/role"), format!("/team/members/{me}/remove"));
    for (path, fields) in [(&role, &[("role", "viewer"), ("current", PASSWORD)][..]), (&remove, &[])] {
        let page = app.post_form(path, fields).await.goes_to("/team").follow().await;
        assert_eq!(page.flash(), "A business needs an owner. Make another member an owner first.");
    }
    assert_eq!(app.number("SELECT count(*) FROM memberships WHERE role = 'owner'").await, 1);
    app.add_member(&app.business, Role::Owner).await;
    app.post_form(&role, &[("role", "viewer"), ("current", PASSWORD)]).await.goes_to("/");
    app.get("/team").await.is(403);
}

async fn two_owners_who_leave_at_once_leave_one(three: ThreeNodes) {
    let mut owners: Vec<(Visitor, i64)> = Vec::new();
    for n in 0..6 {
        let email = three.node(n).add_member(&three.business, Role::Owner).await;
        let visitor = three.node(n).stranger();
        visitor.sign_in_as(&email, PASSWORD).await.goes_to("/");
        owners.push((visitor, three.number(&format!("SELECT id FROM users WHERE email = '{email}'")).await));
    }
    three.arrange(&format!("DELETE FROM memberships WHERE user_id = {}", three.business.owner_id)).await;
    let leave = |(visitor, id): (Visitor, i64)| async move {
        visitor.post_form(&format!("/team/members/{id}/remove"), &[]).await.is(303)
    };
    join_all(owners.into_iter().map(leave)).await;
    assert_eq!(three.number("SELECT count(*) FROM memberships WHERE role = 'owner'").await, 1);
}

async fn a_removed_member_loses_the_business_at_once(app: TestApp) {
    app.sign_in().await;
    let sam = app.member(Role::Owner).await;
    sam.post_form("/team/invitations", &[("email", "back@example.org"), ("role", "owner")]).await.is(200);
    let id = app.number("SELECT max(user_id) FROM memberships").await;
    let remove = format!("/team/members/{id}/remove");
    app.get(&remove).await.is(200).says("loses this business at once");
    app.post_form(&remove, &[]).await.goes_to("/team");
    sam.get("/team").await.goes_to("/no-business");
    sam.get("/no-business").await.is(200).says("You are in no business");
    sam.post_form("/business", &[("business", "Evil")]).await.goes_to("/no-business");
    assert_eq!(app.number("SELECT count(*) FROM invitations WHERE outcome = 'withdrawn'").await, 1, "no way back in");
}

async fn a_role_holds_from_the_next_click(app: TestApp) {
    app.sign_in().await;
    let sam = app.member(Role::Viewer).await;
    let id = app.number("SELECT max(user_id) FROM memberships").await;
    sam.get("/integrations").await.is(403);
    let role = format!("/team/members/{id}/role");
    app.post_form(&role, &[("role", "developer")]).await.is(200).says("Your password");
    app.post_form(&role, &[("role", "developer"), ("current", "not the one")]).await.is(422);
    sam.get("/integrations").await.is(403);
    app.post_form(&role, &[("role", "developer"), ("current", PASSWORD)]).await.goes_to("/team");
    sam.get("/integrations").await.is(200);
    app.post_form(&format!("/team/members/{id}/role"), &[("role", "root")]).await.is(400);
    app.post_form(&format!("/team/members/{id}/role"), &[("role", "sales"), ("current", PASSWORD)]).await.is(303);
    sam.get("/integrations").await.is(403);
}

async fn the_team_of_another_business_is_not_there(app: TestApp) {
    app.sign_in().await;
    invite(&app, "jane@example.org", "sales").await;
    let invitation = app.number("SELECT max(id) FROM invitations").await;
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    let member = app.business.owner_id;
    theirs.get(&format!("/team/members/{member}/remove")).await.is(404);
    theirs.post_form(&format!("/team/members/{member}/remove"), &[]).await.is(404);
    theirs.post_form(&format!("/team/members/{member}/role"), &[("role", "viewer")]).await.is(404);
    theirs.post_form(&format!("/team/invitations/{invitation}/withdraw"), &[]).await.is(404);
    theirs.get("/team").await.is(200).does_not_say("jane@example.org");
}
