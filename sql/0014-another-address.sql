-- With another address of a user, whatever was sent to the one before opens nothing any more.

CREATE FUNCTION users_address_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE one_time_links SET used_at = now() WHERE user_id = NEW.id AND used_at IS NULL;
	RETURN NULL;
END $$;

CREATE TRIGGER address_changed AFTER UPDATE OF email ON users
	FOR EACH ROW WHEN (OLD.email <> NEW.email) EXECUTE FUNCTION users_address_changed();
