-- Dispatch: facts of the field, what the planner decided and on which inputs, learnt travel speeds, handovers and reports, and the
-- resident's link. Runs as the owner.

-- ---------------------------------------------------------------- field: what people agree, permit and lock about a ticket's visit
ALTER TABLE ticket
  ADD COLUMN with_crew_id text,
  ADD COLUMN pinned_crew_id text,
  ADD COLUMN reopened int NOT NULL DEFAULT 0;
CREATE INDEX ticket_pinned ON ticket (company_id, pinned_crew_id) WHERE open AND pinned_crew_id IS NOT NULL;

-- ---------------------------------------------------------------- plans and decisions
-- Where the leading core's engine listens, and what it wants to hear first (address is as old as the table).
ALTER TABLE lease ADD COLUMN secret text;
-- The plan in force. A proposal made on an older one is scored again before it is confirmed.
CREATE TABLE plan_head (
  company_id int PRIMARY KEY,
  version int NOT NULL,
  made_at timestamptz NOT NULL,
  decision text NOT NULL,
  body bytea NOT NULL
) WITH (fillfactor = 50);
-- What decisions were made from, named by the SHA-256 of what is in it. depth 0: whole; 1, 2: only what differs from the row `base`, which is
-- one less deep. Compressed, and not by the server again.
CREATE TABLE decision_input (
  company_id int NOT NULL,
  digest bytea NOT NULL,
  base bytea,
  depth smallint NOT NULL CHECK (depth BETWEEN 0 AND 2 AND (depth = 0) = (base IS NULL)),
  body bytea NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  kept boolean NOT NULL DEFAULT false,
  PRIMARY KEY (company_id, digest)
);
ALTER TABLE decision_input ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX decision_input_age ON decision_input (company_id, stored_at);
-- An answer, compressed, by which others like it are compressed to a third.
CREATE TABLE decision_example (
  company_id int NOT NULL,
  digest bytea NOT NULL,
  body bytea NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  kept boolean NOT NULL DEFAULT false,
  PRIMARY KEY (company_id, digest)
);
CREATE INDEX decision_example_age ON decision_example (company_id, stored_at);
-- A proposal, a price or a plan, with its answer. What a dispatch names is kept; the rest for days.
CREATE TABLE decision (
  company_id int NOT NULL,
  digest text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('proposal', 'price', 'plan')),
  ticket_id text COLLATE "C",
  ticket_version int,
  plan int NOT NULL,
  policy text NOT NULL,
  made_at timestamptz NOT NULL,
  inputs bytea NOT NULL,
  asked bytea NOT NULL,
  answer bytea NOT NULL,
  example bytea,
  stored_at timestamptz NOT NULL DEFAULT now(),
  kept boolean NOT NULL DEFAULT false,
  PRIMARY KEY (company_id, digest)
);
CREATE INDEX decision_age ON decision (company_id, stored_at) WHERE NOT kept;
CREATE INDEX decision_ticket ON decision (company_id, ticket_id, made_at) WHERE ticket_id IS NOT NULL;
-- The proposal beside each ticket that waits for a crew; `plan` is the last one on which it still held.
CREATE TABLE proposal (
  company_id int NOT NULL,
  ticket_id text COLLATE "C" NOT NULL,
  ticket_version int NOT NULL,
  plan int NOT NULL,
  decision text NOT NULL,
  PRIMARY KEY (company_id, ticket_id)
) WITH (fillfactor = 50);

-- ---------------------------------------------------------------- travel
-- What the crews' fixes of one hour told: journeys counted by speed and by detour, and the fixes left out by what was wrong with
-- them. Counts of many hours add up; hours are forgotten by policy. slot: hour of the city's clock, 24 more on a weekend.
CREATE TABLE travel_speed (
  company_id int NOT NULL,
  hour_at timestamptz NOT NULL,
  slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 47),
  fixes int NOT NULL,
  journeys int NOT NULL,
  speeds int[] NOT NULL,
  detours int[] NOT NULL,
  left_out jsonb NOT NULL,
  PRIMARY KEY (company_id, hour_at)
);
-- The travel models that were in force, as their own JSON; the newest is.
CREATE TABLE travel_model (
  company_id int NOT NULL,
  version int NOT NULL,
  made_at timestamptz NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (company_id, version)
);
CREATE INDEX telemetry_batch_kind ON telemetry_batch (company_id, kind, business_at);

-- ---------------------------------------------------------------- handovers, reports, links
-- Facts of a span of time, for the morning report: the journal grows in order of time, so that a summary of its pages finds them.
CREATE INDEX journal_time ON journal USING brin (business_at) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE ticket ADD COLUMN link_digest text;
CREATE UNIQUE INDEX ticket_link ON ticket (link_digest) WHERE link_digest IS NOT NULL;
-- Which ticket a resident's link leads to: asked without a session, so it crosses companies by the digest of its secret alone.
CREATE FUNCTION linked_ticket(digest text) RETURNS TABLE (company_id int, ticket_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT t.company_id, t.ticket_id FROM ticket t WHERE t.link_digest = digest $$;
REVOKE ALL ON FUNCTION linked_ticket(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION linked_ticket(text) TO heatops_app;

-- What is carried up to the duty manager leaves the house by a channel of its own.
ALTER TABLE message DROP CONSTRAINT message_channel_check;
ALTER TABLE message ADD CONSTRAINT message_channel_check CHECK (channel IN ('department', 'case', 'resident', 'duty'));

-- ---------------------------------------------------------------- who may do what
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['travel_speed','travel_model','plan_head','decision_input','decision_example','decision','proposal'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY one_company ON %I TO heatops_app USING (company_id = current_setting(''heatops.company'')::int)
                    WITH CHECK (company_id = current_setting(''heatops.company'')::int)', t);
    EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON plan_head TO heatops_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON decision_input, decision_example, decision, proposal TO heatops_app;
GRANT SELECT, INSERT, DELETE ON travel_speed TO heatops_app;
GRANT SELECT, INSERT ON travel_model TO heatops_app;
