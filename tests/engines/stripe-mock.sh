# stripe-mock: answers as Stripe's API does, by Stripe's OpenAPI description, and refuses requests that do not fit it.
port=${STRIPE_MOCK_PORT:-12111}

install() { GOBIN=$install_dir go install github.com/stripe/stripe-mock@latest 2>/dev/null; }

start() {
  in_background "$install_dir/stripe-mock" -http-addr "127.0.0.1:$port"
  wait_until 20 port_open "$port"
}

# Any secret key of the form sk_test_… is taken.
endpoint() { echo "http://127.0.0.1:$port"; }
