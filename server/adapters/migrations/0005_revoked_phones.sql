-- A revoked phone is told so: it then forgets its day, as one whose session has only run out does not.
CREATE FUNCTION crew_device_revoked(hash bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT EXISTS (SELECT FROM crew_device d WHERE d.session_hash = hash AND d.revoked_at IS NOT NULL) $$;
REVOKE ALL ON FUNCTION crew_device_revoked(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crew_device_revoked(bytea) TO heatops_app;
