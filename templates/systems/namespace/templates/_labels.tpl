{{- define "namespace.labels" -}}
app.kubernetes.io/name: {{ .Values.system }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
