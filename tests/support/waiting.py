"""A spec with changes that wait for a maintenance window."""

from __future__ import annotations

from support.rehearsing import PROVIDERS

DATABASE = """
resource "aws_db_instance" "postgres" {
  identifier          = "orders"
  engine              = "postgres"
  engine_version      = "17"
  instance_class      = "%s"
  allocated_storage   = 60
  apply_immediately   = false
  monitoring_interval = %d
  username            = "platform"
  password_wo         = "not-kept"
  password_wo_version = 1
  skip_final_snapshot = true
}
output "asked" {
  value = jsonencode({ "aws_db_instance.postgres" = { instance_class = "%s" } })
}
"""


ADDRESS = "aws_db_instance.postgres"


def spec(size: str, seconds: int = 0) -> str:
    return PROVIDERS + DATABASE % (size, seconds, size)
