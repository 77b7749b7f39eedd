# Creates the user NAME of PostgreSQL and the database of the same name, and sets the password NEW_PASSWORD. It may run
# again at any time. psql connects as the master user with the PG variables.
set -eu
# The creator of a database must be a member of its owner's role: since PostgreSQL 16 the user that creates a role needs
# this grant for it.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$NAME" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
GRANT :"name" TO CURRENT_USER;
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
# psql hashes it here: neither statements nor server logs contain the password.
printf '%s\n%s\n' "$NEW_PASSWORD" "$NEW_PASSWORD" |
  psql --no-psqlrc --quiet --dbname postgres --set ON_ERROR_STOP=1 --command "\\password $NAME" 2>/dev/null
# The exit code of \password is not reliable in every version: connect as the user.
PGUSER=$NAME PGPASSWORD=$NEW_PASSWORD psql --no-psqlrc --quiet --dbname "$NAME" --command 'SELECT 1' >/dev/null
echo "PostgreSQL: user and database $NAME are there, and its password is set"
