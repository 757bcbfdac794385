-- The work on site and its evidence.

-- ---------------------------------------------------------------- fixes of crews
-- Every fix is kept as it came, with what the pipeline made of it; what is shown and counted are those it believes.
ALTER TABLE crew_fix
  ADD COLUMN verdict text NOT NULL DEFAULT 'ok' CHECK (verdict IN ('ok', 'late', 'repeated', 'inaccurate', 'zero_accuracy',
    'too_fast', 'outlier', 'datum_suspect', 'clock_skew')),
  ADD COLUMN device text,
  ADD COLUMN battery_pct smallint CHECK (battery_pct BETWEEN 0 AND 100);

-- ---------------------------------------------------------------- crews' phones
-- A phone that a crew has signed in with a code from the desk; its session ends when it is revoked or somebody signs in with it again.
CREATE TABLE crew_device (
  company_id int NOT NULL REFERENCES company,
  device_id text NOT NULL,
  crew_id text NOT NULL,
  name text NOT NULL,
  device_key bytea NOT NULL CHECK (octet_length(device_key) = 65),
  session_hash bytea NOT NULL UNIQUE,
  signed_in_at timestamptz NOT NULL DEFAULT now(),
  signed_in_by text NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_by text,
  PRIMARY KEY (company_id, device_id)
);
CREATE INDEX crew_device_crew ON crew_device (company_id, crew_id, signed_in_at);
-- One living code a crew. The selector, a code's first three digits, says whose it is, so that wrong ones are counted against it.
CREATE TABLE crew_code (
  company_id int NOT NULL REFERENCES company,
  crew_id text NOT NULL,
  selector smallint NOT NULL UNIQUE CHECK (selector BETWEEN 0 AND 999),
  code_hash bytea NOT NULL,
  made_by text NOT NULL,
  expires_at timestamptz NOT NULL,
  wrong smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (company_id, crew_id)
);

-- False: another crew's living code has this selector.
CREATE FUNCTION crew_code_make(at_company int, for_crew text, sel int, hash bytea, who text, until timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  DELETE FROM crew_code WHERE expires_at <= now() OR (company_id = at_company AND crew_id = for_crew);
  INSERT INTO crew_code (company_id, crew_id, selector, code_hash, made_by, expires_at)
  VALUES (at_company, for_crew, sel, hash, who, until) ON CONFLICT DO NOTHING;
  RETURN FOUND;
END $$;
-- Spends the code and puts the phone in the crew's hands; no row: no such code, or it has been tried too often.
CREATE FUNCTION crew_sign_in(sel int, hash bytea, most_wrong int, device text, device_name text, public_key bytea, session bytea, until timestamptz)
RETURNS TABLE (company_id int, crew_id text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE c crew_code;
BEGIN
  SELECT * INTO c FROM crew_code WHERE selector = sel AND expires_at > now() AND wrong < most_wrong FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF c.code_hash <> hash THEN
    UPDATE crew_code SET wrong = wrong + 1 WHERE company_id = c.company_id AND crew_id = c.crew_id;
    RETURN;
  END IF;
  DELETE FROM crew_code WHERE company_id = c.company_id AND crew_id = c.crew_id;
  INSERT INTO crew_device (company_id, device_id, crew_id, name, device_key, session_hash, signed_in_by, expires_at)
  VALUES (c.company_id, device, c.crew_id, device_name, public_key, session, c.made_by, until)
  ON CONFLICT (company_id, device_id) DO UPDATE SET crew_id = excluded.crew_id, name = excluded.name, device_key = excluded.device_key,
    session_hash = excluded.session_hash, signed_in_at = now(), signed_in_by = excluded.signed_in_by, expires_at = excluded.expires_at,
    revoked_at = NULL, revoked_by = NULL;
  RETURN QUERY SELECT c.company_id, c.crew_id;
END $$;
-- A session is a person's or a crew's phone's: whoever asks for one asks here.
DROP FUNCTION session_lookup(bytea);
CREATE FUNCTION session_lookup(hash bytea)
RETURNS TABLE (company_id int, account_id int, account text, role text, expires_at timestamptz, crew_id text, device_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT s.company_id, s.account_id, a.name, m.role, s.expires_at, NULL::text, NULL::text FROM session s
  JOIN account a USING (account_id) JOIN membership m ON m.account_id = s.account_id AND m.company_id = s.company_id
  WHERE s.token_hash = hash AND s.expires_at > now()
  UNION ALL
  SELECT d.company_id, NULL, d.crew_id, 'crew', d.expires_at, d.crew_id, d.device_id FROM crew_device d
  WHERE d.session_hash = hash AND d.expires_at > now() AND d.revoked_at IS NULL $$;
CREATE OR REPLACE FUNCTION session_close(hash bytea) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM session WHERE token_hash = hash;
  UPDATE crew_device SET expires_at = now() WHERE session_hash = hash AND expires_at > now() $$;
CREATE OR REPLACE FUNCTION live_pass_make(hash bytea, of_session bytea) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM live_pass WHERE expires_at < now();
  INSERT INTO live_pass SELECT s.company_id, hash, of_session, now() + interval '30 s' FROM session_lookup(of_session) s RETURNING true $$;
DROP FUNCTION live_pass_spend(bytea);
CREATE FUNCTION live_pass_spend(hash bytea) RETURNS TABLE (company_id int, session_hash bytea, crew_id text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  DELETE FROM live_pass p WHERE p.pass_hash = hash AND p.expires_at > now()
  RETURNING p.company_id, p.session_hash, (SELECT d.crew_id FROM crew_device d WHERE d.session_hash = p.session_hash) $$;
DO $$ DECLARE f text; BEGIN
  FOREACH f IN ARRAY ARRAY['session_lookup(bytea)','live_pass_spend(bytea)','crew_code_make(int,text,int,bytea,text,timestamptz)',
      'crew_sign_in(int,bytea,int,text,text,bytea,bytea,timestamptz)'] LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO heatops_app', f);
  END LOOP;
END $$;

-- ---------------------------------------------------------------- photos that are judged
-- The process that owns the index of photos: one works, others stand by.
INSERT INTO lease (name, generation, beat) VALUES ('photo', 0, 0);
-- A photo of a slot, written with the fact that it was taken; `verdict` and `unjudged` as the record stands. It waits, is taken by the photo
-- process of a generation, and is done once its verdict is a fact. `tries` counts the times that it was taken; `kept` says what is left of
-- the picture.
CREATE TABLE evidence_job (
  company_id int NOT NULL,
  ticket_id text COLLATE "C" NOT NULL,
  slot text COLLATE "C" NOT NULL,
  photo_id text COLLATE "C" NOT NULL,
  taken_at timestamptz NOT NULL,
  round int NOT NULL,
  crew_id text COLLATE "C" NOT NULL,
  verdict text,
  unjudged boolean NOT NULL,
  job_id bigint GENERATED ALWAYS AS IDENTITY,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'taken', 'done')),
  taken_by bigint,
  tries smallint NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  said text,
  kept text NOT NULL DEFAULT 'all' CHECK (kept IN ('all', 'views', 'none')),
  PRIMARY KEY (company_id, ticket_id, slot, photo_id, taken_at)
) WITH (fillfactor = 70);
CREATE INDEX evidence_job_age ON evidence_job (company_id, kept, taken_at) WHERE kept <> 'none';
CREATE INDEX evidence_job_photo ON evidence_job (company_id, photo_id);
CREATE INDEX evidence_job_waiting ON evidence_job (company_id, job_id) WHERE state <> 'done';
-- Which photos were seen, in the order in which they were: a photo is compared with those before it. The hash is of the picture as it is; who
-- asks turns and flips his own.
CREATE TABLE photo_hash (
  company_id int NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  ticket_id text COLLATE "C" NOT NULL,
  round int NOT NULL,
  slot text COLLATE "C" NOT NULL,
  photo_id text COLLATE "C" NOT NULL,
  crew_id text COLLATE "C" NOT NULL,
  building_id text COLLATE "C",
  hash bytea NOT NULL CHECK (length(hash) = 32),
  quality smallint NOT NULL,
  PRIMARY KEY (company_id, seq)
);
CREATE UNIQUE INDEX photo_hash_use ON photo_hash (company_id, ticket_id, round, slot, photo_id);
CREATE INDEX photo_hash_photo ON photo_hash (company_id, photo_id);
CREATE INDEX photo_hash_building ON photo_hash (company_id, building_id, seq);
CREATE INDEX photo_hash_crew ON photo_hash (company_id, crew_id, seq);
-- Points by which a scene is found again, once for the same bytes.
CREATE TABLE photo_features (
  company_id int NOT NULL,
  photo_id text COLLATE "C" NOT NULL,
  points bytea NOT NULL,
  PRIMARY KEY (company_id, photo_id)
);
ALTER TABLE photo_features ALTER COLUMN points SET STORAGE EXTERNAL;

-- What of each ticket's evidence a person must look at. `version` and `held` go with the record's facts; the rest is the core's, as it last told it under
-- the policy in force: `version <> told_version` is to be told.
CREATE TABLE evidence_standing (
  company_id int NOT NULL,
  ticket_id text COLLATE "C" NOT NULL,
  version int NOT NULL,
  held boolean NOT NULL,
  told_version int NOT NULL DEFAULT 0,
  ticket_version int NOT NULL DEFAULT 0,
  policy text NOT NULL DEFAULT '',
  open boolean NOT NULL DEFAULT true,
  needs text CHECK (needs IN ('review', 'block')),
  unjudged boolean NOT NULL DEFAULT false,
  rank smallint NOT NULL DEFAULT 0,
  since timestamptz,
  crew_id text COLLATE "C",
  PRIMARY KEY (company_id, ticket_id)
) WITH (fillfactor = 70);
CREATE INDEX evidence_standing_open ON evidence_standing (company_id, ticket_id) WHERE open OR version <> told_version;
CREATE INDEX evidence_queue ON evidence_standing (company_id, rank, since, ticket_id) WHERE needs IS NOT NULL;
CREATE INDEX evidence_queue_crew ON evidence_standing (company_id, crew_id, rank, since, ticket_id) WHERE needs IS NOT NULL;
CREATE INDEX evidence_queue_unjudged ON evidence_standing (company_id, rank, since, ticket_id) WHERE unjudged;

-- When a photo's bytes were let go; its row, hash, points and verdicts stay.
ALTER TABLE photo ADD COLUMN gone_at timestamptz;
CREATE INDEX photo_of_crews ON photo (company_id, taken_in_at) WHERE gone_at IS NULL AND by_whom LIKE 'crew:%';
-- ---------------------------------------------------------------- photos on their way
-- A photo that a phone sends in chunks; its part lies in a file by its id. `have` bytes are on the disk; `done` is the answer once it was taken.
CREATE TABLE upload (
  company_id int NOT NULL,
  upload_id text COLLATE "C" NOT NULL,
  crew_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  photo_id text COLLATE "C" NOT NULL,
  asked bytea NOT NULL,
  body_hash bytea NOT NULL,
  bytes int NOT NULL,
  have int NOT NULL DEFAULT 0 CHECK (have BETWEEN 0 AND bytes),
  done text,
  skew_s int,
  begun_at timestamptz NOT NULL DEFAULT now(),
  moved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (company_id, upload_id)
) WITH (fillfactor = 70);
CREATE INDEX upload_open ON upload (company_id, device_id) WHERE done IS NULL;
CREATE INDEX upload_age ON upload (company_id, begun_at);
-- A one-time word is a photo's, and no other's.
CREATE TABLE photo_nonce (
  company_id int NOT NULL,
  nonce text COLLATE "C" NOT NULL,
  ticket_id text COLLATE "C" NOT NULL,
  slot text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  number int NOT NULL,
  photo_id text COLLATE "C" NOT NULL,
  used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (company_id, nonce)
);
CREATE INDEX photo_nonce_ticket ON photo_nonce (company_id, ticket_id);
CREATE INDEX photo_nonce_age ON photo_nonce (company_id, used_at);

-- A crew's phone shows a resident many times a day: one line for each ticket, day and phone.
CREATE UNIQUE INDEX resident_access_today ON resident_access (company_id, by_whom, what) WHERE what LIKE 'today %';

-- ---------------------------------------------------------------- who may do what
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['crew_device','crew_code','evidence_job','evidence_standing','photo_hash','photo_features','upload','photo_nonce'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY one_company ON %I TO heatops_app USING (company_id = current_setting(''heatops.company'')::int)
                    WITH CHECK (company_id = current_setting(''heatops.company'')::int)', t);
    EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
GRANT SELECT, UPDATE (revoked_at, revoked_by) ON crew_device TO heatops_app;
GRANT SELECT, INSERT, UPDATE ON evidence_job, evidence_standing TO heatops_app;
GRANT UPDATE (gone_at, by_whom) ON photo TO heatops_app;
GRANT SELECT, INSERT ON photo_hash, photo_features TO heatops_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload TO heatops_app;
GRANT SELECT, INSERT, DELETE ON photo_nonce TO heatops_app;
