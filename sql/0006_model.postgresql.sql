-- What the model was asked and said, what that cost by day, and whether its endpoint is to be left alone for now.

-- A name that is being asked has an owner until leased_until. Without an answer, `reason` says why there is none.
CREATE TABLE model_answers (
  name         text   NOT NULL,
  model        text   NOT NULL,
  prompt       text   NOT NULL,
  answer       text,
  reason       text,
  tries        bigint NOT NULL DEFAULT 0,
  owner        text,
  leased_until timestamptz,
  asked_at     timestamptz NOT NULL,
  PRIMARY KEY (name, model, prompt)
);

-- A call counts with the most that it may use from before it is made; what it did use is put right after it.
CREATE TABLE model_days (
  day         text   NOT NULL,
  model       text   NOT NULL,
  calls       bigint NOT NULL DEFAULT 0,
  failures    bigint NOT NULL DEFAULT 0,
  names       bigint NOT NULL DEFAULT 0,
  tokens_in   bigint NOT NULL DEFAULT 0,
  tokens_out  bigint NOT NULL DEFAULT 0,
  micro_cents bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (day, model)
);

CREATE TABLE model_breakers (
  model      text   NOT NULL PRIMARY KEY,
  failures   bigint NOT NULL DEFAULT 0,
  open_until timestamptz,
  reason     text
);
