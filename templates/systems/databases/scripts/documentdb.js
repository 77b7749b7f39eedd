// Makes the user NAME of DocumentDB for the database of its name, and sets the password NEW_PASSWORD. It may run again
// at any time.
const {HOST, PORT, MASTER, MASTER_PASSWORD, NAME, NEW_PASSWORD, OPTIONS} = process.env;
const server = (user, password) =>
  connect(`mongodb://${user}:${encodeURIComponent(password)}@${HOST}:${PORT}/admin?${OPTIONS}`);
const admin = server(MASTER, MASTER_PASSWORD);
const roles = ["readWrite", "dbAdmin"].map((role) => ({role, db: NAME}));
if (admin.getUser(NAME)) {
  admin.updateUser(NAME, {pwd: NEW_PASSWORD, roles});
} else {
  admin.createUser({user: NAME, pwd: NEW_PASSWORD, roles});
}
server(NAME, NEW_PASSWORD);
print(`DocumentDB: user ${NAME} is there, and its password is set`);
