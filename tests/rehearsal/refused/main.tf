resource "aws_vpc" "unknown_argument" {
  cidr = "10.0.0.0/16"
}

resource "aws_subnet" "missing_argument" {
  cidr_block = "10.0.0.0/24"
}

resource "aws_subnet" "wrong_type" {
  vpc_id                  = "vpc-1"
  map_public_ip_on_launch = "perhaps"
}

resource "aws_lb_listener" "missing_block" {
  load_balancer_arn = "arn"
}

resource "aws_s3_bucket" "unknown_block" {
  versions {}
}

resource "aws_eks_cluster" "nested" {
  name     = "a"
  role_arn = "arn"
  vpc_config {
    subnets = ["subnet-1"]
  }
}

resource "aws_vpn" "unknown_type" {}

data "aws_iam_policy_document" "data" {
  statement {
    action = ["s3:*"]
  }
}

resource "helm_release" "chart" {
  name  = "a"
  chart = "b"
  wait  = [1]
}

resource "aws_wafv2_web_acl_association" "two_missing" {}

resource "aws_vpc" "wrong_value" {
  cidr_block = "10.0.0.0/33"
}

resource "aws_lb_target_group" "wrong_value" {
  health_check {
    interval = 2
  }
}

resource "aws_iam_role" "misspelt_policy" {
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Efect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "*" } }]
  })
}

resource "aws_security_group" "member_of_a_set" {
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.1/8"]
  }
}

resource "aws_db_instance" "both" {
  instance_class    = "db.t4g.micro"
  identifier        = "a"
  identifier_prefix = "b"
}

data "aws_acm_certificate" "wrong_value" {
  domain    = "example.com"
  key_types = ["RSA"]
}
