-- The first schema. Every row carries its company and every key leads with it; residents stand only in person and person_words.
-- Runs as the owner. Roles: heatops_app (one company at a time, row-level security), heatops_feed (reads all companies, writes the feed).

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- ---------------------------------------------------------------- installation
CREATE TABLE company (
  company_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9-]{1,30}$'),
  name text NOT NULL,
  timezone text NOT NULL DEFAULT 'Asia/Shanghai',
  demo boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Business time: anchor_business + (system - anchor_system) * rate. One row; only the owner moves it.
CREATE TABLE business_clock (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  anchor_business timestamptz NOT NULL,
  anchor_system timestamptz NOT NULL,
  rate float8 NOT NULL CHECK (rate > 0 AND rate <= 10000)
);
INSERT INTO business_clock SELECT 1, now(), now(), 1;

CREATE TABLE account (
  account_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE membership (
  company_id int NOT NULL REFERENCES company,
  account_id int NOT NULL REFERENCES account,
  role text NOT NULL DEFAULT 'administrator',
  PRIMARY KEY (company_id, account_id)
);
CREATE TABLE session (
  company_id int NOT NULL REFERENCES company,
  token_hash bytea NOT NULL UNIQUE,
  account_id int NOT NULL REFERENCES account,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (company_id, token_hash)
);
CREATE TABLE sign_in_link (
  token_hash bytea PRIMARY KEY,
  expires_at timestamptz NOT NULL
);
-- A pass opens one websocket, once, within 30 s.
CREATE TABLE live_pass (
  company_id int NOT NULL REFERENCES company,
  pass_hash bytea NOT NULL UNIQUE,
  session_hash bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (company_id, pass_hash)
);
CREATE TABLE source_token (
  company_id int NOT NULL REFERENCES company,
  token_hash bytea NOT NULL UNIQUE,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (company_id, name)
);

-- ---------------------------------------------------------------- truth: journal, outbox, heads
CREATE TABLE journal (
  company_id int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version int NOT NULL CHECK (version > 0),
  kind text NOT NULL,
  v smallint NOT NULL,
  actor text NOT NULL,
  business_at timestamptz NOT NULL,
  system_at timestamptz NOT NULL,
  lon float8,
  lat float8,
  grounds text NOT NULL,
  policy text NOT NULL,
  body text NOT NULL,
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (company_id, stream, version)
) PARTITION BY HASH (stream);
DO $$ BEGIN
  FOR i IN 0..7 LOOP
    EXECUTE format('CREATE TABLE journal_%s PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
  END LOOP;
END $$;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_not_emptied BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DO $$ BEGIN
  FOR i IN 0..7 LOOP
    EXECUTE format('CREATE TRIGGER journal_not_emptied BEFORE TRUNCATE ON journal_%s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', i);
  END LOOP;
END $$;

-- The state of each stream after its last fact: the optimistic lock is journal's key, this row saves folding the past.
CREATE TABLE stream_head (
  company_id int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version int NOT NULL,
  hash bytea NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (company_id, stream)
) WITH (fillfactor = 70);

-- xid before id: a transaction takes its xid before it draws an id, which is what makes the feed's floor safe.
CREATE TABLE outbox (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
  company_id int NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stream text NOT NULL,
  version int,
  kind text NOT NULL,
  v smallint NOT NULL,
  business_at timestamptz NOT NULL,
  body text NOT NULL,
  source text,
  cadence_s float8
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE idempotency (
  company_id int NOT NULL,
  principal text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  status smallint NOT NULL,
  answer text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (company_id, principal, route, key)
);
CREATE INDEX idempotency_age ON idempotency USING brin (created_at);

-- ---------------------------------------------------------------- residents, encrypted
CREATE TABLE person (
  company_id int NOT NULL,
  pseudonym text NOT NULL,
  body bytea NOT NULL,
  name_index bytea,
  phone_index bytea,
  PRIMARY KEY (company_id, pseudonym)
);
CREATE INDEX person_phone ON person (company_id, phone_index);
CREATE INDEX person_name ON person (company_id, name_index);
CREATE TABLE person_words (
  company_id int NOT NULL,
  words_id text NOT NULL,
  pseudonym text,
  body bytea NOT NULL,
  PRIMARY KEY (company_id, words_id)
);

-- ---------------------------------------------------------------- register
CREATE TABLE city (
  company_id int PRIMARY KEY REFERENCES company,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('generated', 'imported')),
  tiles text NOT NULL,
  attribution text NOT NULL,
  west float8 NOT NULL, south float8 NOT NULL, east float8 NOT NULL, north float8 NOT NULL,
  center_lon float8 NOT NULL, center_lat float8 NOT NULL
);
CREATE TABLE community (
  company_id int NOT NULL,
  community_id text NOT NULL,
  name text NOT NULL,
  district text NOT NULL,
  lon float8 NOT NULL, lat float8 NOT NULL,
  radius_m float8 NOT NULL,
  PRIMARY KEY (company_id, community_id)
);
CREATE TABLE building (
  company_id int NOT NULL,
  building_id text NOT NULL,
  name text NOT NULL,
  street text NOT NULL,
  house_number text NOT NULL,
  address text NOT NULL,
  lon float8 NOT NULL, lat float8 NOT NULL,
  outline bytea,
  levels int,
  area_m2 float8,
  use text NOT NULL,
  district text NOT NULL,
  community_id text,
  substation_id text,
  PRIMARY KEY (company_id, building_id)
);
CREATE INDEX building_place ON building (company_id, lat, lon);
CREATE INDEX building_address ON building USING gin (address gin_trgm_ops);
CREATE TABLE node (
  company_id int NOT NULL,
  node_id text NOT NULL,
  kind text NOT NULL,
  parent_id text,
  name text NOT NULL,
  lon float8, lat float8,
  supply_low_c float8,
  PRIMARY KEY (company_id, node_id)
);
CREATE INDEX node_parent ON node (company_id, parent_id);
CREATE TABLE household (
  company_id int NOT NULL,
  household_id text NOT NULL,
  building_id text NOT NULL,
  unit int NOT NULL,
  floor int NOT NULL,
  flat text NOT NULL,
  riser_ids text[] NOT NULL,
  area_m2 float8 NOT NULL,
  gable boolean NOT NULL, ground_floor boolean NOT NULL, top_floor boolean NOT NULL,
  valve boolean NOT NULL,
  green_channel boolean NOT NULL,
  pseudonym text NOT NULL,
  lon float8 NOT NULL, lat float8 NOT NULL,
  PRIMARY KEY (company_id, household_id)
);
CREATE INDEX household_building ON household (company_id, building_id);
CREATE TABLE point (
  company_id int NOT NULL,
  point_id text NOT NULL,
  household_id text,
  building_id text NOT NULL,
  PRIMARY KEY (company_id, point_id)
);
CREATE TABLE usual_hour (
  company_id int NOT NULL,
  day_type text NOT NULL CHECK (day_type IN ('workday', 'weekend')),
  hour int NOT NULL CHECK (hour BETWEEN 0 AND 23),
  low int NOT NULL, usual int NOT NULL, high int NOT NULL,
  PRIMARY KEY (company_id, day_type, hour)
);
-- A company that the demo fills, and how: the same city and seed go on after a restart.
CREATE TABLE demo_run (
  company_id int PRIMARY KEY REFERENCES company,
  city text NOT NULL CHECK (city IN ('generated', 'imported')),
  seed int NOT NULL,
  points int NOT NULL,
  past_lived boolean NOT NULL DEFAULT false
);

-- ---------------------------------------------------------------- tickets, for queries and clocks
CREATE SEQUENCE ticket_number AS bigint INCREMENT BY 100;
CREATE TABLE ticket (
  company_id int NOT NULL,
  ticket_id text COLLATE "C" NOT NULL,
  version int NOT NULL,
  state text NOT NULL,
  open boolean NOT NULL,
  level text NOT NULL,
  kind text NOT NULL,
  source text NOT NULL,
  building_id text,
  community_id text,
  district text,
  lon float8 NOT NULL, lat float8 NOT NULL,
  address text NOT NULL,
  crew_id text,
  reports int NOT NULL,
  near boolean NOT NULL,
  overdue boolean NOT NULL,
  lost_contact boolean NOT NULL,
  received_at timestamptz NOT NULL,
  due_at timestamptz,
  check_at timestamptz,
  solved_due_at timestamptz NOT NULL,
  closed_at timestamptz,
  PRIMARY KEY (company_id, ticket_id)
) WITH (fillfactor = 80);
CREATE INDEX ticket_received ON ticket (company_id, received_at);
CREATE INDEX ticket_check ON ticket (company_id, check_at) WHERE open AND check_at IS NOT NULL;
CREATE INDEX ticket_open ON ticket (company_id, ticket_id) WHERE open;
CREATE INDEX ticket_solved_due ON ticket (company_id, solved_due_at);
CREATE INDEX ticket_closed ON ticket (company_id, closed_at) WHERE closed_at IS NOT NULL;

-- ---------------------------------------------------------------- telemetry, partitioned by arrival
CREATE TABLE telemetry_batch (
  company_id int NOT NULL,
  batch_id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
  kind text NOT NULL,
  items int NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  business_at timestamptz NOT NULL,
  taken boolean NOT NULL DEFAULT false,
  PRIMARY KEY (company_id, batch_id)
) WITH (fillfactor = 80);
CREATE INDEX telemetry_batch_waiting ON telemetry_batch (company_id, batch_id) WHERE NOT taken;

CREATE TABLE room_reading (
  company_id int NOT NULL, received_at timestamptz NOT NULL, batch_id bigint NOT NULL,
  point_id text NOT NULL, read_at timestamptz NOT NULL, celsius real NOT NULL
) PARTITION BY RANGE (received_at);
-- BRIN: rows of a batch lie together and in order of their points, so that summaries of a few pages find them; a
-- btree by point was most of what a batch of 26,000 readings cost.
CREATE INDEX room_reading_batch ON room_reading USING brin (batch_id) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX room_reading_point ON room_reading USING brin (point_id, read_at) WITH (pages_per_range = 4, autosummarize = on);
CREATE TABLE network_reading (
  company_id int NOT NULL, received_at timestamptz NOT NULL, batch_id bigint NOT NULL,
  node_id text NOT NULL, read_at timestamptz NOT NULL,
  supply_c real, return_c real, flow_m3h real, makeup_m3h real, pressure_kpa real
) PARTITION BY RANGE (received_at);
CREATE INDEX network_reading_batch ON network_reading (company_id, batch_id);
CREATE INDEX network_reading_node ON network_reading (company_id, node_id, read_at);
CREATE TABLE crew_fix (
  company_id int NOT NULL, received_at timestamptz NOT NULL, batch_id bigint NOT NULL,
  crew_id text NOT NULL, fixed_at timestamptz NOT NULL, lon float8 NOT NULL, lat float8 NOT NULL,
  datum text NOT NULL, accuracy_m real NOT NULL, heading_deg real, speed_mps real
) PARTITION BY RANGE (received_at);
CREATE INDEX crew_fix_crew ON crew_fix (company_id, crew_id, fixed_at);
CREATE TABLE weather (
  company_id int NOT NULL, received_at timestamptz NOT NULL, batch_id bigint NOT NULL,
  observed_at timestamptz NOT NULL, outdoor_c real NOT NULL, feels_c real, wind_mps real, wind_from_deg real
) PARTITION BY RANGE (received_at);
CREATE INDEX weather_batch ON weather (company_id, batch_id);
CREATE TABLE mention (
  company_id int NOT NULL, received_at timestamptz NOT NULL, batch_id bigint NOT NULL,
  mention_id text NOT NULL, said_at timestamptz NOT NULL, value real NOT NULL, topic text NOT NULL,
  community_id text, channel text NOT NULL, words_id text
) PARTITION BY RANGE (received_at);
CREATE INDEX mention_said ON mention (company_id, said_at);
CREATE INDEX mention_name ON mention (company_id, mention_id);
-- The owner makes partitions a week ahead through this; the feed's role may call it, not create tables.
CREATE FUNCTION ensure_partitions(from_day date, days int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE parent text; d date; name text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['room_reading','network_reading','crew_fix','weather','mention','feed_log'] LOOP
    FOR i IN 0..least(days, 31) LOOP
      d := from_day + i;
      name := parent || '_' || to_char(d, 'YYYYMMDD');
      IF to_regclass('public.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)', name, parent, d::timestamptz, (d + 1)::timestamptz);
      END IF;
    END LOOP;
  END LOOP;
END $$;
CREATE FUNCTION drop_partitions(parent text, before_day date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE r record; n int := 0;
BEGIN
  before_day := least(before_day, current_date - 14);  -- nobody drops what is fresh
  FOR r IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
           WHERE p.relname = parent AND p.relkind = 'p'
             AND parent IN ('room_reading','network_reading','crew_fix','weather','mention','feed_log')
             AND c.relname ~ '_[0-9]{8}$' AND to_date(right(c.relname, 8), 'YYYYMMDD') < before_day LOOP
    EXECUTE format('DROP TABLE public.%I', r.relname); n := n + 1;
  END LOOP;
  RETURN n;
END $$;

CREATE TABLE crew_last_fix (
  company_id int NOT NULL,
  crew_id text NOT NULL,
  fixed_at timestamptz NOT NULL,
  heard_at timestamptz NOT NULL,
  lon float8 NOT NULL, lat float8 NOT NULL,
  PRIMARY KEY (company_id, crew_id)
) WITH (fillfactor = 50);
CREATE TABLE account_balance (
  company_id int NOT NULL,
  household_id text NOT NULL,
  unpaid_fen bigint NOT NULL CHECK (unpaid_fen >= 0),
  balance_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (company_id, household_id)
) WITH (fillfactor = 80);

-- What was counted in each cell of the arrears grid when it was last looked at: kept from everybody but the round.
CREATE TABLE arrears_look (
  company_id int NOT NULL,
  size_m int NOT NULL, x int NOT NULL, y int NOT NULL,
  households int NOT NULL, in_arrears int NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (company_id, size_m, x, y)
);
CREATE TABLE arrears_round (
  company_id int PRIMARY KEY,
  at timestamptz NOT NULL
);

-- ---------------------------------------------------------------- the feed
CREATE TABLE lease (
  name text PRIMARY KEY,
  generation bigint NOT NULL,
  beat bigint NOT NULL,
  backend int,
  holder text,
  address text
) WITH (fillfactor = 10);
INSERT INTO lease VALUES ('core', 0, 0, NULL, NULL, NULL);

CREATE TABLE layer_row (
  company_id int NOT NULL,
  topic text NOT NULL,
  key text NOT NULL,
  row_version bigint NOT NULL,
  tile int NOT NULL DEFAULT 0,
  body bytea NOT NULL,
  PRIMARY KEY (company_id, topic, key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.1);
CREATE TABLE feed_log (
  at timestamptz NOT NULL DEFAULT now(),
  company_id int NOT NULL,
  topic text NOT NULL,
  epoch bigint NOT NULL,
  seq bigint NOT NULL,
  generation bigint NOT NULL,
  kind text NOT NULL DEFAULT 'batch' CHECK (kind IN ('batch', 'keyframe')),
  hash text NOT NULL,
  as_of float8 NOT NULL,
  sealed bytea NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX feed_log_position ON feed_log (company_id, topic, epoch, seq);
CREATE TABLE feed_head (
  company_id int NOT NULL,
  topic text NOT NULL,
  epoch bigint NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL,
  as_of float8 NOT NULL,
  source_at float8,
  cadence_s float8,
  keyframe_at float8 NOT NULL DEFAULT 0,
  PRIMARY KEY (company_id, topic)
) WITH (fillfactor = 10);
-- Which PostgreSQL sealed last: another identity, timeline or start means that the past may be shorter than what screens saw.
CREATE TABLE feed_origin (id int PRIMARY KEY DEFAULT 1 CHECK (id = 1), origin text NOT NULL);

SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date - 1, 9);

-- ---------------------------------------------------------------- who may do what
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['membership','session','live_pass','source_token','journal','stream_head','outbox','idempotency','person','person_words',
      'city','community','building','node','household','point','usual_hour','demo_run','ticket','telemetry_batch','room_reading',
      'network_reading','crew_fix','weather','mention','crew_last_fix','account_balance','arrears_look','arrears_round','layer_row','feed_log','feed_head','company'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY one_company ON %I TO heatops_app USING (company_id = current_setting(''heatops.company'')::int)
                    WITH CHECK (company_id = current_setting(''heatops.company'')::int)', t);
    EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['outbox','layer_row','feed_log','feed_head','company'] LOOP
    EXECUTE format('CREATE POLICY feed_all ON %I TO heatops_feed USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;

GRANT SELECT, INSERT ON journal TO heatops_app;
GRANT SELECT, INSERT, UPDATE ON stream_head, ticket, telemetry_batch, crew_last_fix, account_balance, arrears_look, arrears_round TO heatops_app;
GRANT SELECT, INSERT ON outbox, idempotency, room_reading, network_reading, crew_fix, weather, mention TO heatops_app;
GRANT DELETE ON idempotency TO heatops_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON person, person_words, city, community, building, node, household, point, usual_hour TO heatops_app;
GRANT SELECT ON company, membership, layer_row, feed_log, feed_head, business_clock, lease TO heatops_app;
GRANT USAGE ON SEQUENCE ticket_number TO heatops_app;
GRANT EXECUTE ON FUNCTION ensure_partitions(date, int), drop_partitions(text, date) TO heatops_feed;
GRANT SELECT, DELETE ON outbox TO heatops_feed;
GRANT SELECT, INSERT, UPDATE, DELETE ON layer_row, feed_head, feed_origin TO heatops_feed;
GRANT SELECT, INSERT, DELETE ON feed_log TO heatops_feed;
GRANT SELECT, UPDATE ON lease TO heatops_feed;
GRANT SELECT ON company, business_clock TO heatops_feed;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO heatops_feed;

-- ---------------------------------------------------------------- doors through row-level security
CREATE FUNCTION session_lookup(hash bytea) RETURNS TABLE (company_id int, account_id int, account text, role text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT s.company_id, s.account_id, a.name, m.role, s.expires_at FROM session s
  JOIN account a USING (account_id) JOIN membership m ON m.account_id = s.account_id AND m.company_id = s.company_id
  WHERE s.token_hash = hash AND s.expires_at > now() $$;
CREATE FUNCTION source_lookup(hash bytea) RETURNS TABLE (company_id int, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT t.company_id, t.name FROM source_token t WHERE t.token_hash = hash $$;
CREATE FUNCTION account_lookup(who text) RETURNS TABLE (account_id int, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT a.account_id, a.password_hash FROM account a WHERE a.name = who $$;
CREATE FUNCTION account_companies(who int) RETURNS TABLE (company_id int, code text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT c.company_id, c.code, c.name FROM company c JOIN membership m USING (company_id) WHERE m.account_id = who ORDER BY c.company_id $$;
CREATE FUNCTION session_open(hash bytea, who int, at_company int, until timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM session WHERE expires_at < now();
  INSERT INTO session (company_id, token_hash, account_id, expires_at)
  SELECT m.company_id, hash, who, until FROM membership m WHERE m.account_id = who AND m.company_id = at_company
  RETURNING true $$;
CREATE FUNCTION session_close(hash bytea) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$ DELETE FROM session WHERE token_hash = hash $$;
CREATE FUNCTION session_move(hash bytea, to_company text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  UPDATE session s SET company_id = c.company_id FROM company c JOIN membership m USING (company_id)
  WHERE s.token_hash = hash AND c.code = to_company AND m.account_id = s.account_id RETURNING true $$;
-- A link is spent once. The first one makes the administrator of every company; later ones sign in as the oldest administrator.
CREATE FUNCTION link_spend(hash bytea, who text, password text) RETURNS TABLE (outcome text, account_id int)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE id int;
BEGIN
  PERFORM 1 FROM sign_in_link l WHERE l.token_hash = hash AND l.expires_at > now() FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT 'unknown'::text, NULL::int; RETURN; END IF;
  SELECT min(a.account_id) INTO id FROM account a;
  IF id IS NULL THEN
    IF who IS NULL OR password IS NULL THEN RETURN QUERY SELECT 'first'::text, NULL::int; RETURN; END IF;
    INSERT INTO account (name, password_hash) VALUES (who, password) RETURNING account.account_id INTO id;
    INSERT INTO membership (company_id, account_id) SELECT c.company_id, id FROM company c;
  END IF;
  DELETE FROM sign_in_link l WHERE l.token_hash = hash;
  RETURN QUERY SELECT 'signed_in'::text, id;
END $$;
CREATE FUNCTION live_pass_make(hash bytea, of_session bytea) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM live_pass WHERE expires_at < now();
  INSERT INTO live_pass SELECT s.company_id, hash, of_session, now() + interval '30 s' FROM session s
  WHERE s.token_hash = of_session AND s.expires_at > now() RETURNING true $$;
CREATE FUNCTION live_pass_spend(hash bytea) RETURNS TABLE (company_id int, session_hash bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM live_pass p WHERE p.pass_hash = hash AND p.expires_at > now() RETURNING p.company_id, p.session_hash $$;
DO $$ DECLARE f text; BEGIN
  FOREACH f IN ARRAY ARRAY['live_pass_make(bytea,bytea)','live_pass_spend(bytea)','session_lookup(bytea)','source_lookup(bytea)','account_lookup(text)','account_companies(int)',
      'session_open(bytea,int,int,timestamptz)','session_close(bytea)','session_move(bytea,text)','link_spend(bytea,text,text)'] LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO heatops_app', f);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION ensure_partitions(date, int), drop_partitions(text, date) FROM PUBLIC;
