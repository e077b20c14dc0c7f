//! Random histories of several accounts: whatever happens, the books balance, nobody is charged twice for a time, and
//! numbers have no gap.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use proptest::prelude::{Strategy, any, proptest};
use proptest::sample::select;
use proptest::test_runner::Config;
use world::{World, euros, world};

#[derive(Debug, Clone)]
enum Happens {
    Subscribes(usize, &'static str, &'static str),
    Changes(usize, &'static str),
    Cancels(usize),
    Resumes(usize),
    PaysBy(usize, &'static str),
    GivesBack(usize, i64),
    Passes(i64),
}

const ACCOUNTS: [&str; 3] = ["ann", "bob", "cho"];

fn happens() -> impl Strategy<Value = Happens> {
    let who = || 0..ACCOUNTS.len();
    let plan = || select(vec!["basic", "standard", "premium"]);
    let token = || {
        select(vec![
            "test-ok",
            "test-ok",
            "test-declined",
            "test-declined-later",
            "test-slow",
            "test-timeout",
            "test-lost",
        ])
    };
    proptest::prop_oneof![
        4 => (who(), plan(), token()).prop_map(|(who, plan, token)| Happens::Subscribes(who, plan, token)),
        3 => (who(), plan()).prop_map(|(who, plan)| Happens::Changes(who, plan)),
        1 => who().prop_map(Happens::Cancels),
        1 => who().prop_map(Happens::Resumes),
        2 => (who(), token()).prop_map(|(who, token)| Happens::PaysBy(who, token)),
        2 => (who(), -5_i64..2_000).prop_map(|(who, amount)| Happens::GivesBack(who, amount)),
        6 => (0_i64..20 * world::DAY).prop_map(Happens::Passes),
    ]
}

async fn takes_place(world: &World, step: &Happens, key: &str) {
    // Refused or not: what counts is what the books say afterwards.
    match step {
        Happens::Subscribes(who, plan, token) => drop(world.subscribe(ACCOUNTS[*who], plan, token, key).await),
        Happens::Changes(who, plan) => drop(world.change(ACCOUNTS[*who], plan, key).await),
        Happens::Cancels(who) => drop(world.cancel(ACCOUNTS[*who]).await),
        Happens::Resumes(who) => drop(world.resume(ACCOUNTS[*who]).await),
        Happens::PaysBy(who, token) => drop(world.pay_by(ACCOUNTS[*who], token, key).await),
        Happens::GivesBack(who, amount) => {
            if let Some(invoice) = world.invoices(ACCOUNTS[*who]).await.first() {
                drop(world.refund(&invoice.id, Some(euros(*amount)), key).await);
            }
        }
        Happens::Passes(time) => drop(world.run(world.now() + time).await),
    }
}

async fn check(world: &World) {
    // What is under way is seen through first: the provider knows more than the books until then.
    world.service.see_through(i64::MAX, world.now()).await.unwrap();
    world.service.see_through(i64::MAX, world.now()).await.unwrap();
    world.check_books().await;
    let (mut numbers, mut owed) = (Vec::new(), 0);
    for who in ACCOUNTS {
        let mut paid_for = Vec::new();
        for invoice in world.invoices(who).await {
            let of = |money: &Option<matinee_contracts::billing::Money>| money.as_ref().unwrap().minor;
            let (total, paid, refunded) = (of(&invoice.total), of(&invoice.paid), of(&invoice.refunded));
            assert!(0 <= refunded && refunded <= paid && paid <= total, "{invoice:?}");
            if invoice.state == "open" {
                owed += total;
            }
            if invoice.lines.len() == 1 && paid > 0 {
                paid_for.push((invoice.lines[0].from_us, invoice.lines[0].until_us));
            }
            numbers.push(invoice.number);
        }
        paid_for.sort_unstable();
        for pair in paid_for.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{who} paid twice for the period from {}", pair[0].0);
        }
    }
    assert_eq!(world.balance("receivable").await, owed, "what is owed is what stands open");
    assert_eq!(world.balance("unapplied").await, 0);
    numbers.sort();
    let mut last = std::collections::HashMap::<String, u32>::new();
    for number in numbers {
        let (year, place) = number.split_once('-').unwrap();
        let last = last.entry(year.to_owned()).or_default();
        assert_eq!(place.parse::<u32>().unwrap(), *last + 1, "no gap before {number}");
        *last += 1;
    }
}

proptest! {
    #![proptest_config(Config { cases: 24, max_shrink_iters: 200, ..Config::default() })]
    #[test]
    fn the_books_hold_whatever_happens(
        history in proptest::collection::vec((happens(), any::<bool>()), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = world().await;
            for (at, (step, repeated)) in history.iter().enumerate() {
                let key = format!("k{at}");
                takes_place(&world, step, &key).await;
                if *repeated && !matches!(step, Happens::GivesBack(..)) {
                    takes_place(&world, step, &key).await;
                }
            }
            check(&world).await;
        });
    }
}
