def test_smoke(database, make_transactions):
    make_transactions([{}, {"amount_cents": -5}])
