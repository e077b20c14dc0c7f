//! The calls that change an account: each reads it, decides, and commits where nobody was faster.

mod pay;

use std::future::Future;

use matinee_contracts::billing as contract;
use matinee_model::ids::AccountId;
use matinee_model::money::Money;
use matinee_model::territory::Territory;
use prost::Message;

use crate::answer::{Answer, Asked, Remembered};
use crate::change::{Change, decide};
use crate::customer::{Customer, PaymentMethod};
use crate::error::BillingError;
use crate::intent::{Intent, Occasion, Purpose};
use crate::invoice::InvoiceState;
use crate::message;
use crate::names::{derived, place_of};
use crate::payment::{Attach, PaymentProvider};
use crate::plan::PlanId;
use crate::service::BillingService;
use crate::settle::void;
use crate::store::Step;
use crate::subscription::{Renewal, State, Subscription, Terms};

/// How often a decision is made anew where another process was faster.
const MOST_TRIES: usize = 8;

/// What a call came to, before its payment.
enum Begun {
    /// It came before.
    Before(Remembered),
    /// It is done.
    Done,
    /// A payment was written down, and is to be pursued.
    Paying(String),
}

impl BillingService {
    /// Runs `once` again where it fails with [`BillingError::Raced`]; in this process one at a time of an account.
    pub(crate) async fn in_turn<T, F>(
        &self,
        account: &AccountId,
        once: impl Fn() -> F + Send,
    ) -> Result<T, BillingError>
    where
        F: Future<Output = Result<T, BillingError>> + Send,
    {
        let _turn = self.turns[place_of(account.as_str(), self.turns.len())].lock().await;
        for _ in 0..MOST_TRIES {
            match once().await {
                Err(BillingError::Raced) => {}
                other => return other,
            }
        }
        Err(BillingError::Raced)
    }

    /// Takes a step, and lets everybody in this process know.
    pub(crate) async fn take(&self, step: &Step) -> Result<(), BillingError> {
        let taken = self.store.commit(step).await;
        // Also where it failed: whether it took place may not be known.
        self.entitlements.changed(&step.customer.account).await;
        if step.announced {
            self.news.notify_one();
        }
        taken
    }

    /// The account, which may be new; none that was deleted.
    async fn customer(&self, account: &AccountId) -> Result<Customer, BillingError> {
        let customer = self.store.customer(account).await?.unwrap_or_else(|| Customer::new(account.clone()));
        if customer.erased_us.is_some() {
            return Err(BillingError::Erased(account.clone()));
        }
        Ok(customer)
    }

    /// The account, while no payment is under way.
    async fn settled_customer(&self, account: &AccountId) -> Result<Customer, BillingError> {
        let customer = self.customer(account).await?;
        if customer.pending.is_some() { Err(BillingError::UnderWay) } else { Ok(customer) }
    }

    async fn before(&self, account: &AccountId, asked: &Asked) -> Result<Option<Remembered>, BillingError> {
        match self.store.remembered(account, &asked.key).await? {
            Some(before) if before.hash != asked.hash => Err(BillingError::KeyReused),
            before => Ok(before),
        }
    }

    /// The answer to a call that came before; its payment is pursued where nobody knows yet how it ended.
    async fn again<M: Message + Default>(
        &self,
        account: &AccountId,
        asked: &Asked,
        before: Remembered,
    ) -> Result<M, BillingError> {
        if let Some(answer) = before.answer {
            return answer.read();
        }
        if let Some(intent) = &before.intent {
            self.pursue(account, intent, self.clock.now_us()).await?;
        }
        let before = self.before(account, asked).await?.and_then(|before| before.answer);
        before.ok_or(BillingError::UnderWay)?.read()
    }

    /// The provider that takes new payment methods.
    pub(crate) fn for_new_methods(&self) -> Result<&dyn PaymentProvider, BillingError> {
        let first = self.providers.first().ok_or_else(|| BillingError::UnknownProvider(String::new()))?;
        Ok(first.as_ref())
    }

    async fn attach(
        &self,
        account: &AccountId,
        token: &str,
        email: &str,
        asked: &Asked,
    ) -> Result<PaymentMethod, BillingError> {
        let provider = self.for_new_methods()?;
        let customer = self.customer(account).await?;
        let known = customer.method.filter(|method| method.provider == provider.name());
        let key = derived(&["attach", account.as_str(), &asked.key]);
        let attach = Attach {
            token,
            account,
            email,
            customer: known.as_ref().and_then(|method| method.customer.as_deref()),
            key: &key,
        };
        Ok(provider.attach(attach).await?)
    }

    pub(crate) async fn begin_subscription(
        &self,
        wanted: &Wanted,
        asked: &Asked,
    ) -> Result<contract::Subscription, BillingError> {
        let account = &wanted.account;
        if let Some(before) = self.before(account, asked).await? {
            return self.again(account, asked, before).await;
        }
        let plan = self.store.plan(&wanted.plan).await?;
        if !plan.offered {
            return Err(BillingError::field("plan", "it is not offered any more"));
        }
        let terms = Terms::of(&plan, wanted.territory)
            .ok_or_else(|| BillingError::field("plan", format!("it is not sold in {}", wanted.territory)))?;
        // Before the provider hears of it.
        if let Err(refused) = self.settled_customer(account).await.and_then(|customer| may_subscribe(&customer)) {
            // Unless this very request was just answered.
            return match self.before(account, asked).await? {
                Some(before) => self.again(account, asked, before).await,
                None => Err(refused),
            };
        }
        let method = self.attach(account, &wanted.token, &wanted.email, asked).await?;
        let (terms, method) = (&terms, &method);
        let begun = self.in_turn(account, || async move {
            if let Some(before) = self.before(account, asked).await? {
                return Ok(Begun::Before(before));
            }
            let mut customer = self.settled_customer(account).await?;
            may_subscribe(&customer)?;
            customer.method = Some(method.clone());
            if !wanted.email.is_empty() {
                customer.email = Some(wanted.email.clone());
            }
            self.begin(customer, terms, plan.trial_days, wanted.territory, asked).await
        });
        self.finished(account, asked, begun.await?).await
    }

    async fn begin(
        &self,
        mut customer: Customer,
        terms: &Terms,
        trial_days: u32,
        territory: Territory,
        asked: &Asked,
    ) -> Result<Begun, BillingError> {
        let now_us = self.clock.now_us();
        let account = customer.account.clone();
        let id = derived(&["subscription", account.as_str(), &asked.key, &customer.revision.to_string()]);
        let trial = trial_days > 0 && !customer.trialled;
        if trial || terms.price.minor == 0 {
            let subscription = if trial {
                customer.trialled = true;
                Subscription::on_trial(id, terms.clone(), territory, trial_days, now_us)
            } else {
                Subscription::paid(id, terms.clone(), territory, now_us)?
            };
            let answer = message::subscription(&account, &subscription, customer.method.as_ref());
            let mut step = Step::new(customer, now_us);
            step.asked = Some((asked.clone(), None, Some(Answer::done(&answer))));
            step.subscribe(subscription);
            self.take(&step).await?;
            return Ok(Begun::Done);
        }
        let subscription = Subscription::paid(id, terms.clone(), territory, now_us)?;
        let purpose = Purpose::Begin { subscription: Box::new(subscription) };
        self.begin_payment(customer, terms.price, purpose, asked, now_us).await
    }

    /// Writes a payment down, with the call that waits for it.
    async fn begin_payment(
        &self,
        mut customer: Customer,
        amount: Money,
        purpose: Purpose,
        asked: &Asked,
        now_us: i64,
    ) -> Result<Begun, BillingError> {
        let account = customer.account.clone();
        let id = derived(&["payment", account.as_str(), &asked.key, &customer.revision.to_string()]);
        let mut intent = Intent::pending(id.clone(), &account, amount, purpose, now_us);
        intent.method.clone_from(&customer.method);
        intent.answers = Some(asked.key.clone());
        customer.pending = Some(id.clone());
        let mut step = Step::new(customer, now_us);
        step.asked = Some((asked.clone(), Some(id.clone()), None));
        step.intents.push(intent);
        self.take(&step).await?;
        Ok(Begun::Paying(id))
    }

    async fn finished<M: Message + Default>(
        &self,
        account: &AccountId,
        asked: &Asked,
        begun: Begun,
    ) -> Result<M, BillingError> {
        match begun {
            Begun::Before(before) => return self.again(account, asked, before).await,
            Begun::Paying(intent) => self.pursue(account, &intent, self.clock.now_us()).await?,
            Begun::Done => {}
        }
        let answered = self.before(account, asked).await?.and_then(|before| before.answer);
        answered.ok_or(BillingError::UnderWay)?.read()
    }

    /// What a change to `plan` comes to now.
    pub(crate) async fn preview(
        &self,
        account: &AccountId,
        plan: &PlanId,
    ) -> Result<contract::ChangePreview, BillingError> {
        let customer = self.customer(account).await?;
        let (subscription, terms) = self.change_of(&customer, plan).await?;
        let now_us = self.clock.now_us();
        let (charge, effective_us) = match decide(&subscription, &terms, now_us)? {
            Change::Now { charge, .. } => (charge, now_us),
            Change::Later => (Money::new(0, terms.price.currency), subscription.period_end_us),
            Change::Same => (Money::new(0, terms.price.currency), now_us),
        };
        Ok(contract::ChangePreview {
            charge_now: Some(message::money(charge)),
            new_price: Some(message::money(terms.price)),
            effective_us,
        })
    }

    async fn change_of(&self, customer: &Customer, plan: &PlanId) -> Result<(Subscription, Terms), BillingError> {
        let subscription = customer.current().ok_or_else(|| BillingError::NoSubscription(customer.account.clone()))?;
        // Its own plan is what was sold, whatever became of the plan since.
        if subscription.terms.plan == *plan {
            return Ok((subscription.clone(), subscription.terms.clone()));
        }
        let plan = self.store.plan(plan).await?;
        if !plan.offered {
            return Err(BillingError::field("plan", "it is not offered any more"));
        }
        let terms = Terms::of(&plan, subscription.territory)
            .ok_or_else(|| BillingError::field("plan", format!("it is not sold in {}", subscription.territory)))?;
        Ok((subscription.clone(), terms))
    }

    pub(crate) async fn change_to(
        &self,
        account: &AccountId,
        plan: &PlanId,
        asked: &Asked,
    ) -> Result<contract::Subscription, BillingError> {
        let begun = self.in_turn(account, || async move {
            if let Some(before) = self.before(account, asked).await? {
                return Ok(Begun::Before(before));
            }
            let customer = self.settled_customer(account).await?;
            let (subscription, terms) = self.change_of(&customer, plan).await?;
            let now_us = self.clock.now_us();
            let changed = match decide(&subscription, &terms, now_us)? {
                Change::Now { lines, charge } if charge.minor > 0 => {
                    let purpose = Purpose::Upgrade { terms: Box::new(terms), lines };
                    return self.begin_payment(customer, charge, purpose, asked, now_us).await;
                }
                Change::Now { .. } => subscription.changed(terms),
                Change::Later => Subscription { next_plan: Some(terms.plan), ..subscription },
                Change::Same => Subscription { next_plan: None, ..subscription },
            };
            let answer = Answer::done(&message::subscription(account, &changed, customer.method.as_ref()));
            let mut step = Step::new(customer, now_us);
            step.asked = Some((asked.clone(), None, Some(answer)));
            step.subscribe(changed);
            self.take(&step).await?;
            Ok(Begun::Done)
        });
        self.finished(account, asked, begun.await?).await
    }

    pub(crate) async fn cancel_at_end(&self, account: &AccountId) -> Result<contract::Subscription, BillingError> {
        self.in_turn(account, || async move {
            let customer = self.settled_customer(account).await?;
            let before = customer.current().ok_or_else(|| BillingError::NoSubscription(account.clone()))?.clone();
            let cancelled = before.cancelled()?;
            let mut step = Step::new(customer, self.clock.now_us());
            if let (State::PastDue(dunning), true) = (&before.state, cancelled.is_over())
                && let Some(invoice) = self.store.invoice(&dunning.invoice).await?
            {
                void(&mut step, invoice)?;
            }
            self.moved(step, &before, cancelled).await
        })
        .await
    }

    pub(crate) async fn take_back(&self, account: &AccountId) -> Result<contract::Subscription, BillingError> {
        self.in_turn(account, || async move {
            let customer = self.settled_customer(account).await?;
            let before = customer.subscription.clone().ok_or_else(|| BillingError::NoSubscription(account.clone()))?;
            let now_us = self.clock.now_us();
            let resumed = before.resumed(now_us)?;
            self.moved(Step::new(customer, now_us), &before, resumed).await
        })
        .await
    }

    /// Takes the step to `after`, unless nothing changes.
    async fn moved(
        &self,
        mut step: Step,
        before: &Subscription,
        after: Subscription,
    ) -> Result<contract::Subscription, BillingError> {
        let answer = message::subscription(&step.customer.account, &after, step.customer.method.as_ref());
        if *before != after {
            step.subscribe(after);
            self.take(&step).await?;
        }
        Ok(answer)
    }

    pub(crate) async fn pay_by(
        &self,
        account: &AccountId,
        token: &str,
        asked: &Asked,
    ) -> Result<contract::PaymentMethod, BillingError> {
        if let Some(before) = self.before(account, asked).await? {
            return self.again(account, asked, before).await;
        }
        let email = self.customer(account).await?.email.unwrap_or_default();
        let method = self.attach(account, token, &email, asked).await?;
        let method = &method;
        let begun = self.in_turn(account, || async move {
            if let Some(before) = self.before(account, asked).await? {
                return Ok(Begun::Before(before));
            }
            let mut customer = self.customer(account).await?;
            customer.method = Some(method.clone());
            let mut step = Step::new(customer, self.clock.now_us());
            step.asked = Some((asked.clone(), None, Some(Answer::done(&message::payment_method(method)))));
            let intent = self.collect(&mut step, Occasion::NewMethod).await?;
            self.take(&step).await?;
            Ok(intent.map_or(Begun::Done, Begun::Paying))
        });
        let begun = begun.await?;
        if let Begun::Paying(intent) = begun {
            // What is owed is asked for at once; where that fails, the schedule goes on.
            if let Err(error) = self.pursue(account, &intent, self.clock.now_us()).await {
                tracing::info!(%account, %error, "what is owed is not paid yet by the new method");
            }
            return self.finished(account, asked, Begun::Done).await;
        }
        self.finished(account, asked, begun).await
    }

    /// Writes down another attempt at what the account owes, where it owes; its payment's id.
    pub(crate) async fn collect(&self, step: &mut Step, occasion: Occasion) -> Result<Option<String>, BillingError> {
        let Some(mut subscription) = step.customer.subscription.clone() else { return Ok(None) };
        let State::PastDue(dunning) = &subscription.state else { return Ok(None) };
        if step.customer.pending.is_some() {
            return Ok(None);
        }
        let owed = dunning.invoice.clone();
        let invoice = self.store.invoice(&owed).await?.ok_or_else(|| BillingError::UnknownInvoice(owed.clone()))?;
        if invoice.state != InvoiceState::Open {
            return Ok(None);
        }
        subscription.attempts += 1;
        let id = derived(&["collect", &subscription.id, &owed, &subscription.attempts.to_string()]);
        let purpose = Purpose::Collect { invoice: owed, occasion };
        let mut intent = Intent::pending(id.clone(), &step.customer.account, invoice.total, purpose, step.at_us);
        intent.method.clone_from(&step.customer.method);
        step.customer.subscription = Some(subscription);
        step.customer.pending = Some(id.clone());
        step.intents.push(intent);
        Ok(Some(id))
    }

    pub(crate) async fn give_back(
        &self,
        invoice: &str,
        amount: Option<Money>,
        reason: &str,
        asked: &Asked,
    ) -> Result<contract::Invoice, BillingError> {
        let unknown = || BillingError::UnknownInvoice(invoice.to_owned());
        let account = &self.store.invoice(invoice).await?.ok_or_else(unknown)?.account;
        let begun = self.in_turn(account, || async move {
            if let Some(before) = self.before(account, asked).await? {
                return Ok(Begun::Before(before));
            }
            // Also of an account that was deleted: what was paid can be given back.
            let customer = self.store.customer(account).await?.unwrap_or_else(|| Customer::new(account.clone()));
            if customer.pending.is_some() {
                return Err(BillingError::UnderWay);
            }
            let invoice = self.store.invoice(invoice).await?.ok_or_else(unknown)?;
            let amount = amount.unwrap_or(Money::new(invoice.refundable(), invoice.total.currency));
            if amount.currency != invoice.total.currency {
                let reason = format!("the invoice is in {}", invoice.total.currency);
                return Err(BillingError::field("amount", reason));
            }
            if !(1..=invoice.refundable()).contains(&amount.minor) {
                let reason = format!("{} of {} paid can still be given back", invoice.refundable(), invoice.paid);
                return Err(BillingError::field("amount", reason));
            }
            let Some(payment) = invoice.payment else { return Err(BillingError::NotNow("the invoice is not paid")) };
            let purpose = Purpose::Refund { invoice: invoice.id, payment, reason: reason.to_owned() };
            self.begin_payment(customer, amount, purpose, asked, self.clock.now_us()).await
        });
        self.finished(account, asked, begun.await?).await
    }

    /// The account is gone: its subscription ends, and what tells who it was is dropped. Its invoices stay.
    pub(crate) async fn erase(&self, account: &AccountId) -> Result<(), BillingError> {
        let Some(known) = self.store.customer(account).await?.filter(|customer| customer.erased_us.is_none()) else {
            return self.store.forget(i64::MIN, Some(account)).await;
        };
        if let Some(method) = &known.method
            && let Some(customer) = &method.customer
            && let Some(provider) = self.provider(&method.provider)
        {
            provider.forget(customer).await?;
        }
        self.in_turn(account, || async move {
            let Some(mut customer) = self.store.customer(account).await? else { return Ok(()) };
            let now_us = self.clock.now_us();
            let before = customer.current().cloned();
            (customer.email, customer.method, customer.erased_us) = (None, None, Some(now_us));
            let under_way = customer.pending.is_some();
            let mut step = Step::new(customer, now_us);
            if let Some(before) = before {
                if let (State::PastDue(dunning), false) = (&before.state, under_way)
                    && let Some(invoice) = self.store.invoice(&dunning.invoice).await?
                {
                    void(&mut step, invoice)?;
                }
                step.subscribe(Subscription { renewal: Renewal::Cancelled, ..before.ended() });
            }
            self.take(&step).await
        })
        .await?;
        self.store.forget(i64::MIN, Some(account)).await
    }
}

/// A subscription that somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) account: AccountId,
    pub(crate) plan: PlanId,
    pub(crate) territory: Territory,
    pub(crate) token: String,
    pub(crate) email: String,
}

fn may_subscribe(customer: &Customer) -> Result<(), BillingError> {
    if customer.current().is_some() { Err(BillingError::Subscribed(customer.account.clone())) } else { Ok(()) }
}
