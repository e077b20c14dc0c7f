//! What falls due: renewals, attempts at what is owed, ends, and payments that nobody saw through.

use std::time::Duration;

use futures::StreamExt;
use matinee_contracts::billing::RunDueReply;
use matinee_model::ids::AccountId;
use tokio_util::sync::CancellationToken;

use crate::error::BillingError;
use crate::intent::{Intent, Occasion, Purpose};
use crate::invoice::{Invoice, Line};
use crate::names::derived;
use crate::period::days_us;
use crate::service::BillingService;
use crate::store::{Step, StepInvoice};
use crate::subscription::{Due, State, Subscription, Terms};

/// Accounts, or payments, that are read at once.
const BATCH: u32 = 200;
/// And seen to at once.
const AT_ONCE: usize = 8;
/// How old a payment under way is before anyone but its own call pursues it.
const PATIENCE_US: i64 = 60_000_000;
/// Answers and events are remembered for so long.
const REMEMBERED_DAYS: u32 = 30;
const EVERY: Duration = Duration::from_secs(60);

/// What became of an account of whom something was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ran {
    Nothing,
    Renewed,
    Failed,
    Ended,
}

/// What was begun of it.
enum Begun {
    Nothing,
    Done,
    /// A payment, to be pursued.
    Paying(String),
}

impl BillingService {
    /// Sees through what a process that died left, then does what is due every minute, until `stop`. One process of an
    /// installation does so.
    pub async fn maintain(&self, stop: CancellationToken) {
        let mut begun_until = i64::MAX;
        loop {
            let now_us = self.clock.now_us();
            let round = async {
                self.see_through(begun_until, now_us).await?;
                let done = self.due_until(now_us).await?;
                self.store.forget(now_us - days_us(REMEMBERED_DAYS), None).await?;
                Ok::<_, BillingError>(done)
            };
            match stop.run_until_cancelled(round).await {
                None => return,
                Some(Ok(done)) if done != RunDueReply::default() => {
                    let (renewed, failed, ended) = (done.renewed, done.failed, done.ended);
                    tracing::info!(renewed, failed, ended, "subscriptions were brought up to date");
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => tracing::warn!(%error, "what is due waits, it is tried again in {EVERY:?}"),
            }
            begun_until = now_us - PATIENCE_US;
            if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Pursues every payment under way that was begun until `made_us`.
    pub async fn see_through(&self, made_us: i64, now_us: i64) -> Result<(), BillingError> {
        let mut after = String::new();
        loop {
            let batch = self.store.under_way(made_us, &after, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            after.clone_from(&last.id);
            futures::stream::iter(batch)
                .for_each_concurrent(AT_ONCE, |intent| async move {
                    match self.pursue(&intent.account, &intent.id, now_us).await {
                        Ok(_) | Err(BillingError::UnderWay) => {}
                        Err(error) => tracing::error!(intent = intent.id, %error, "a payment can't be seen through"),
                    }
                })
                .await;
        }
    }

    /// Does all that is due at `now_us`; what fails of one account is noted, and others go on.
    pub async fn due_until(&self, now_us: i64) -> Result<RunDueReply, BillingError> {
        self.see_through(now_us.saturating_sub(PATIENCE_US), now_us).await?;
        let (mut reply, mut after) = (RunDueReply::default(), String::new());
        loop {
            let batch = self.store.due(now_us, &after, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(reply) };
            last.as_str().clone_into(&mut after);
            let mut running = futures::stream::iter(batch)
                .map(|account| async move {
                    let ran = self.run_account(&account, now_us).await;
                    (account, ran)
                })
                .buffer_unordered(AT_ONCE);
            while let Some((account, ran)) = running.next().await {
                match ran {
                    Ok(Ran::Nothing) | Err(BillingError::UnderWay) => {}
                    Ok(Ran::Renewed) => reply.renewed += 1,
                    Ok(Ran::Failed) => reply.failed += 1,
                    Ok(Ran::Ended) => reply.ended += 1,
                    Err(error) => tracing::error!(%account, %error, "what is due of an account can't be done"),
                }
            }
        }
    }

    async fn run_account(&self, account: &AccountId, now_us: i64) -> Result<Ran, BillingError> {
        match self.in_turn(account, || self.begin_due(account, now_us)).await? {
            Begun::Nothing => return Ok(Ran::Nothing),
            Begun::Paying(intent) => self.pursue(account, &intent, now_us).await?,
            Begun::Done => {}
        }
        let subscription = self.store.customer(account).await?.and_then(|customer| customer.subscription);
        Ok(match subscription.map(|subscription| subscription.state) {
            Some(State::Ended) => Ran::Ended,
            Some(State::PastDue(_)) => Ran::Failed,
            Some(_) => Ran::Renewed,
            None => Ran::Nothing,
        })
    }

    /// The first half: what is due is written down.
    async fn begin_due(&self, account: &AccountId, now_us: i64) -> Result<Begun, BillingError> {
        let Some(customer) = self.store.customer(account).await? else { return Ok(Begun::Nothing) };
        let Some(subscription) = customer.subscription.clone().filter(|_| customer.pending.is_none()) else {
            return Ok(Begun::Nothing);
        };
        let mut step = Step::new(customer, now_us);
        let intent = match subscription.due(now_us) {
            None => return Ok(Begun::Nothing),
            Some(Due::End) => {
                step.subscribe(subscription.ended());
                None
            }
            Some(Due::Retry) => match self.collect(&mut step, Occasion::Scheduled).await? {
                Some(intent) => Some(intent),
                // What was owed is owed no more.
                None => {
                    step.subscribe(subscription.settled());
                    None
                }
            },
            Some(Due::Renew) => {
                let terms = self.next_terms(&subscription).await?;
                renew(&mut step, &subscription.renewed(terms, now_us)?, now_us)?
            }
        };
        self.take(&step).await?;
        Ok(intent.map_or(Begun::Done, Begun::Paying))
    }

    /// What is sold for the next period: the plan's newest edition, or what was sold where it is sold there no more.
    async fn next_terms(&self, subscription: &Subscription) -> Result<Terms, BillingError> {
        let plan = subscription.next_plan.as_ref().unwrap_or(&subscription.terms.plan);
        let newest = match self.store.plan(plan).await {
            Ok(plan) => Terms::of(&plan, subscription.territory),
            Err(BillingError::UnknownPlan(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(newest.unwrap_or_else(|| subscription.terms.clone()))
    }
}

/// Issues the invoice of `renewed`'s period and writes its payment down; nothing where it costs nothing.
fn renew(step: &mut Step, renewed: &Subscription, now_us: i64) -> Result<Option<String>, BillingError> {
    let mut renewed = renewed.clone();
    if renewed.terms.price.minor == 0 {
        step.subscribe(renewed);
        return Ok(None);
    }
    let account = step.customer.account.clone();
    let name = derived(&["renewal", &renewed.id, &renewed.period.to_string()]);
    let line = Line::period(&renewed.terms, renewed.period_start_us, renewed.period_end_us);
    let (invoice, booked) = Invoice::issue(derived(&["invoice", &name]), &account, vec![line], now_us)?;
    let purpose = Purpose::Collect { invoice: invoice.id.clone(), occasion: Occasion::Scheduled };
    let mut intent = Intent::pending(name.clone(), &account, invoice.total, purpose, now_us);
    intent.method.clone_from(&step.customer.method);
    renewed.attempts += 1;
    step.intents.push(intent);
    step.invoices.push(StepInvoice::Issued(invoice));
    step.transactions.push(booked);
    step.customer.pending = Some(name.clone());
    // Others hear of it when it is paid, or not.
    step.customer.subscription = Some(renewed);
    Ok(Some(name))
}
