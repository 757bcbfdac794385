-- Intake made complete: households' heating, visits, external cases, addresses, imports, contradictions, campaigns, and
-- the messages that leave the house. Runs as the owner.

-- The name of the policy files that hold for a company: <data>/policies/<code>/ first, then these of the product.
ALTER TABLE company ADD COLUMN policy text NOT NULL DEFAULT 'default' CHECK (policy ~ '^[a-z][a-z0-9-]{1,30}$');

-- ---------------------------------------------------------------- register
ALTER TABLE building ADD COLUMN warranty_until date;
ALTER TABLE household
  ADD COLUMN warranty_until date,
  ADD COLUMN heated_area_m2 float8,
  ADD COLUMN owner_certificate bytea;  -- keyed digest of the owner's identity number, never the number
ALTER TABLE household ALTER COLUMN lon DROP NOT NULL, ALTER COLUMN lat DROP NOT NULL;
CREATE INDEX household_pseudonym ON household (company_id, pseudonym);
-- A row of an import keeps a digest of what it said, so that the next import changes only what changed.
CREATE TABLE import_digest (
  company_id int NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  digest bytea NOT NULL,
  PRIMARY KEY (company_id, kind, key)
) WITH (fillfactor = 80);
CREATE TABLE import_mapping (
  company_id int NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  mapping text NOT NULL,
  saved_by text NOT NULL,
  saved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (company_id, kind, name)
);
CREATE TABLE import_run (
  company_id int NOT NULL,
  run_id text NOT NULL,
  kind text NOT NULL,
  file_name text NOT NULL,
  file_digest bytea NOT NULL,
  dry boolean NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  by_whom text NOT NULL,
  rows int NOT NULL DEFAULT 0,
  added int NOT NULL DEFAULT 0,
  changed int NOT NULL DEFAULT 0,
  unchanged int NOT NULL DEFAULT 0,
  refused int NOT NULL DEFAULT 0,
  rejects text,
  PRIMARY KEY (company_id, run_id)
);

-- ---------------------------------------------------------------- heating contracts
-- What each department holds true of a household in a season. `service` and `application_id` are ours, folded from the stream
-- heating:<household>; the others are what operations and finance report.
CREATE TABLE household_standing (
  company_id int NOT NULL,
  season text NOT NULL,
  household_id text NOT NULL,
  service text NOT NULL DEFAULT 'heated' CHECK (service IN ('heated', 'suspended', 'temporary_stop')),
  application_id text,
  network text CHECK (network IN ('connected', 'disconnected')),
  network_at timestamptz,
  valve text NOT NULL DEFAULT 'unknown' CHECK (valve IN ('open', 'closed', 'sealed', 'unknown')),
  valve_at timestamptz,
  billing text CHECK (billing IN ('full', 'base', 'none')),
  billed_fen bigint,
  billed_at timestamptz,
  PRIMARY KEY (company_id, season, household_id)
) WITH (fillfactor = 80);
CREATE TABLE application (
  company_id int NOT NULL,
  application_id text COLLATE "C" NOT NULL,
  household_id text NOT NULL,
  building_id text NOT NULL,
  season text NOT NULL,
  action text NOT NULL,
  state text NOT NULL,
  source text NOT NULL,
  address text NOT NULL,
  times int NOT NULL,
  because text[] NOT NULL,
  applied_at timestamptz NOT NULL,
  answered_at timestamptz,
  answered_by text,
  visit_due_at timestamptz,
  visit_id text,
  completed_at timestamptz,
  known_by timestamptz,
  known text[] NOT NULL,
  closed_at timestamptz,
  late boolean NOT NULL,
  stop_until timestamptz,
  visit_from timestamptz,
  check_at timestamptz,
  PRIMARY KEY (company_id, application_id)
) WITH (fillfactor = 80);
CREATE INDEX application_household ON application (company_id, household_id);
CREATE INDEX application_state ON application (company_id, state, applied_at);
CREATE INDEX application_applied ON application (company_id, applied_at);
CREATE INDEX application_late ON application (company_id, applied_at) WHERE late;
CREATE INDEX application_unvisited ON application (company_id, visit_from) WHERE state = 'approved' AND visit_id IS NULL;
CREATE INDEX application_check ON application (company_id, check_at) WHERE check_at IS NOT NULL;
CREATE TABLE visit (
  company_id int NOT NULL,
  visit_id text COLLATE "C" NOT NULL,
  action text NOT NULL,
  building_id text NOT NULL,
  risers text[] NOT NULL,
  address text NOT NULL,
  households int NOT NULL,
  done int NOT NULL,
  open boolean NOT NULL,
  planned_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  made_at timestamptz,
  PRIMARY KEY (company_id, visit_id)
) WITH (fillfactor = 80);
CREATE INDEX visit_open ON visit (company_id, due_at) WHERE open;
CREATE INDEX visit_place ON visit (company_id, building_id) WHERE open;
CREATE TABLE contradiction (
  company_id int NOT NULL,
  season text NOT NULL,
  kind text NOT NULL,
  household_id text NOT NULL,
  found_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  gone_at timestamptz,
  records text NOT NULL,
  mending text,
  mending_by text,
  mending_at timestamptz,
  PRIMARY KEY (company_id, season, kind, household_id)
) WITH (fillfactor = 80);
CREATE INDEX contradiction_open ON contradiction (company_id, season, kind, household_id) WHERE gone_at IS NULL;
CREATE TABLE contradiction_scan (
  company_id int NOT NULL,
  scan_id bigint GENERATED ALWAYS AS IDENTITY,
  season text NOT NULL,
  started_at timestamptz NOT NULL,
  took_ms int NOT NULL,
  households int NOT NULL,
  found int NOT NULL,
  new int NOT NULL,
  gone int NOT NULL,
  by_whom text NOT NULL,
  PRIMARY KEY (company_id, scan_id)
);

-- ---------------------------------------------------------------- requests
ALTER TABLE ticket ADD COLUMN household_id text, ADD COLUMN resident text, ADD COLUMN owner text, ADD COLUMN green boolean NOT NULL DEFAULT false;
CREATE INDEX ticket_household ON ticket (company_id, household_id, received_at) WHERE household_id IS NOT NULL;
CREATE INDEX ticket_resident ON ticket (company_id, resident, received_at) WHERE resident IS NOT NULL;
CREATE INDEX ticket_building ON ticket (company_id, building_id, received_at) WHERE building_id IS NOT NULL;
-- Open outages by the buildings behind them: what a request under one is attached to.
CREATE TABLE outage (
  company_id int NOT NULL,
  outage_id text COLLATE "C" NOT NULL,
  buildings text[] NOT NULL,
  open boolean NOT NULL,
  opened_at timestamptz NOT NULL,
  PRIMARY KEY (company_id, outage_id)
) WITH (fillfactor = 80);
CREATE INDEX outage_open ON outage (company_id) WHERE open;
-- What stood before this schema is in the streams' states.
INSERT INTO outage (company_id, outage_id, buildings, open, opened_at)
  SELECT company_id, substr(stream, 8), ARRAY(SELECT jsonb_array_elements_text(state::jsonb -> 'buildings')),
    state::jsonb ->> 'ended_at' IS NULL, to_timestamp((state::jsonb ->> 'opened_at')::bigint)
  FROM stream_head WHERE stream LIKE 'outage:%';
UPDATE ticket t SET resident = h.state::jsonb ->> 'resident' FROM stream_head h
  WHERE h.company_id = t.company_id AND h.stream = 'ticket:' || t.ticket_id;
WITH first AS (
  SELECT DISTINCT ON (company_id, stream) company_id, stream, body::jsonb ->> 'by' AS owner
  FROM journal WHERE kind = 'ticket_accepted' ORDER BY company_id, stream, version),
 owned AS (
  UPDATE stream_head h SET state = jsonb_set(h.state::jsonb, '{owner}', to_jsonb(f.owner))::text
  FROM first f WHERE f.company_id = h.company_id AND f.stream = h.stream RETURNING h.company_id, h.stream, f.owner)
UPDATE ticket t SET owner = o.owner FROM owned o WHERE o.company_id = t.company_id AND o.stream = 'ticket:' || t.ticket_id;
-- Photos lie content-addressed on disk, encrypted; this says what and whose.
CREATE TABLE photo (
  company_id int NOT NULL,
  photo_id text NOT NULL,
  media_type text NOT NULL,
  bytes int NOT NULL,
  width int NOT NULL,
  height int NOT NULL,
  taken_in_at timestamptz NOT NULL,
  by_whom text NOT NULL,
  PRIMARY KEY (company_id, photo_id)
);
-- Who looked at a resident's data, and what for.
CREATE TABLE resident_access (
  company_id int NOT NULL,
  access_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT now(),
  by_whom text NOT NULL,
  what text NOT NULL,
  pseudonym text,
  PRIMARY KEY (company_id, access_id)
);
CREATE TABLE external_case (
  company_id int NOT NULL,
  case_id text COLLATE "C" NOT NULL,
  origin text NOT NULL,
  number text NOT NULL,
  ticket_id text NOT NULL,
  state text NOT NULL,
  open boolean NOT NULL,
  received_at timestamptz NOT NULL,
  sign_for_at timestamptz NOT NULL,
  contact_at timestamptz NOT NULL,
  reply_at timestamptz NOT NULL,
  due_at timestamptz,
  check_at timestamptz,
  overdue boolean NOT NULL,
  extended int NOT NULL,
  returned int NOT NULL,
  PRIMARY KEY (company_id, case_id),
  UNIQUE (company_id, origin, number)
) WITH (fillfactor = 80);
CREATE INDEX external_case_ticket ON external_case (company_id, ticket_id);
CREATE INDEX external_case_check ON external_case (company_id, check_at) WHERE check_at IS NOT NULL;

-- ---------------------------------------------------------------- addresses
-- What a person taught: this wording (normalised, without names of people) means that place.
CREATE TABLE address_alias (
  company_id int NOT NULL,
  alias text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('street', 'community', 'building')),
  means text NOT NULL,
  taught_by text NOT NULL,
  taught_at timestamptz NOT NULL,
  PRIMARY KEY (company_id, alias, kind)
);
-- Addresses that no rule could place: they wait here, with what asked, until a person chooses.
CREATE TABLE address_question (
  company_id int NOT NULL,
  question_id bigint GENERATED ALWAYS AS IDENTITY,
  asked_at timestamptz NOT NULL,
  origin text NOT NULL,
  reference text NOT NULL,
  words_id text NOT NULL,
  score float8 NOT NULL,
  reason text NOT NULL,
  candidates text NOT NULL,
  answered_at timestamptz,
  answered_by text,
  building_id text,
  household_id text,
  no_such_door boolean NOT NULL DEFAULT false,
  PRIMARY KEY (company_id, question_id),
  UNIQUE (company_id, origin, reference)
) WITH (fillfactor = 80);
CREATE INDEX address_question_open ON address_question (company_id, asked_at) WHERE answered_at IS NULL;
-- Rises with every change of buildings, communities, households or aliases: address books are loaded anew.
CREATE TABLE register_version (company_id int PRIMARY KEY, version bigint NOT NULL);

-- ---------------------------------------------------------------- messages that leave the house
CREATE TABLE campaign (
  company_id int NOT NULL,
  campaign_id text COLLATE "C" NOT NULL,
  purpose text NOT NULL,
  season text NOT NULL,
  days_before int,
  recipients int NOT NULL,
  without_phone int NOT NULL,
  sent int NOT NULL,
  delivered int NOT NULL,
  failed int NOT NULL,
  never_reached int NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (company_id, campaign_id)
) WITH (fillfactor = 80);
-- Who a campaign goes to, fixed when it starts; each resident once, for these households. `written` once the message stands.
CREATE TABLE campaign_recipient (
  company_id int NOT NULL,
  campaign_id text COLLATE "C" NOT NULL,
  pseudonym text COLLATE "C" NOT NULL,
  households text[] NOT NULL,
  phone boolean NOT NULL,
  written boolean NOT NULL DEFAULT false,
  PRIMARY KEY (company_id, campaign_id, pseudonym)
) WITH (fillfactor = 80);
CREATE INDEX campaign_recipient_unwritten ON campaign_recipient (company_id, campaign_id, pseudonym) WHERE phone AND NOT written;
-- Written with the fact that causes it, in its transaction; a gateway carries it out afterwards. `body` is sealed: it may
-- hold a phone. A message is `sent` when the gateway has taken it, `delivered` when the other side says so.
CREATE TABLE message (
  company_id int NOT NULL,
  message_id bigint GENERATED ALWAYS AS IDENTITY,
  channel text NOT NULL CHECK (channel IN ('department', 'case', 'resident')),
  target text NOT NULL,
  kind text NOT NULL,
  about text NOT NULL,
  body bytea NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'delivered', 'failed')),
  attempts int NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  written_at timestamptz NOT NULL,
  sent_at timestamptz,
  delivered_at timestamptz,
  way text,
  proof text,
  error text,
  told text,  -- the state that was last told to what the message is about
  reported_by text,  -- the source that said whether it arrived
  PRIMARY KEY (company_id, message_id)
) WITH (fillfactor = 70);
CREATE INDEX message_waiting ON message (company_id, next_at) WHERE state = 'waiting';
CREATE INDEX message_untold ON message (company_id, message_id) WHERE state <> 'waiting' AND told IS DISTINCT FROM state;
CREATE INDEX message_about ON message (company_id, about, target);

-- ---------------------------------------------------------------- who may do what
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['import_digest','import_mapping','import_run','household_standing','application','visit','contradiction',
      'contradiction_scan','photo','resident_access','outage','external_case','address_alias','address_question','register_version','campaign','campaign_recipient','message'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY one_company ON %I TO heatops_app USING (company_id = current_setting(''heatops.company'')::int)
                    WITH CHECK (company_id = current_setting(''heatops.company'')::int)', t);
    EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON outage, import_run, household_standing, application, visit, contradiction, external_case, address_question,
  register_version, campaign, campaign_recipient, message TO heatops_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON import_digest, import_mapping, address_alias TO heatops_app;
GRANT SELECT, INSERT ON contradiction_scan, photo, resident_access TO heatops_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO heatops_app;
-- Who belongs to a company, for those who work there.
CREATE FUNCTION company_people(at_company int) RETURNS TABLE (name text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT a.name, m.role FROM membership m JOIN account a USING (account_id) WHERE m.company_id = at_company ORDER BY a.name $$;
REVOKE ALL ON FUNCTION company_people(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION company_people(int) TO heatops_app;
-- A link signs in as the oldest administrator, whoever else was let in before; without one it makes one.
CREATE OR REPLACE FUNCTION link_spend(hash bytea, who text, password text) RETURNS TABLE (outcome text, account_id int)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE id int;
BEGIN
  PERFORM 1 FROM sign_in_link l WHERE l.token_hash = hash AND l.expires_at > now() FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT 'unknown'::text, NULL::int; RETURN; END IF;
  SELECT min(m.account_id) INTO id FROM membership m WHERE m.role = 'administrator';
  IF id IS NULL THEN
    IF who IS NULL OR password IS NULL OR EXISTS (SELECT FROM account a WHERE a.name = who) THEN
      RETURN QUERY SELECT 'first'::text, NULL::int; RETURN;
    END IF;
    INSERT INTO account (name, password_hash) VALUES (who, password) RETURNING account.account_id INTO id;
    INSERT INTO membership (company_id, account_id) SELECT c.company_id, id FROM company c;
  END IF;
  DELETE FROM sign_in_link l WHERE l.token_hash = hash;
  RETURN QUERY SELECT 'signed_in'::text, id;
END $$;
ALTER TABLE membership ADD CONSTRAINT membership_role CHECK (role IN ('administrator', 'manager', 'seat', 'wall'));

-- Addresses like some words, of the session's company alone. As the owner: under row-level security no index may be asked with an
-- operator that is not leakproof, and every building would be compared.
CREATE FUNCTION similar_buildings(words text, most int) RETURNS TABLE (building_id text, score float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT b.building_id, similarity(b.address, words)::float8 FROM building b
  WHERE b.address % words AND b.company_id = current_setting('heatops.company')::int
  ORDER BY 2 DESC, 1 LIMIT most $$;
REVOKE ALL ON FUNCTION similar_buildings(text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION similar_buildings(text, int) TO heatops_app;
