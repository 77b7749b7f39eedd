{{- define "system.labels" -}}
app.kubernetes.io/name: {{ .root.Values.system }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* A running process does not read changed configuration files: their digest restarts pods. */}}
{{- define "system.settings" -}}
{{- with .Values.config.digest }}
annotations:
  tierra/config: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* Nothing runs before there is an image: the pipeline that brings the first one adds pods. Afterwards the number of
pods is the one asked for. Only where there is an autoscaler, which brings `most`, it is the number that runs at the
moment, within the autoscaler's limits. */}}
{{- define "system.replicas" -}}
{{- $least := int .least -}}
{{- $live := lookup "apps/v1" "Deployment" .root.Values.system .name -}}
{{- if eq .root.Values.image "none" -}}
replicas: 0
{{- else if and $live (gt (int .most) $least) -}}
replicas: {{ min (max (int $live.spec.replicas) $least) (int .most) }}
{{- else -}}
replicas: {{ $least }}
{{- end -}}
{{- end }}

{{- define "system.container" -}}
name: app
image: {{ .root.Values.image | quote }}
imagePullPolicy: IfNotPresent
{{- with .command }}
command: {{ toJson . }}
{{- end }}
{{- with .root.Values.environment }}
env:
  {{- range $name, $value := . }}
  - name: {{ $name | quote }}
    value: {{ $value | quote }}
  {{- end }}
  {{- range $name, $key := $.root.Values.secrets }}
  - name: {{ $name | quote }}
    valueFrom:
      secretKeyRef:
        name: {{ $.root.Values.system }}-database-{{ $.root.Values.secretVersion }}
        key: {{ $key | quote }}
  {{- end }}
  {{- range $name, $part := $.root.Values.ownSecrets }}
  - name: {{ $name | quote }}
    valueFrom:
      secretKeyRef:
        name: {{ $.root.Values.system }}-{{ $part }}
        key: {{ $name | quote }}
  {{- end }}
{{- end }}
resources:
  {{- include "system.resources" (merge (dict "scratch" .root.Values.scratch) .root.Values.resources) | nindent 2 }}
securityContext:
  {{- include "system.confined" . | nindent 2 }}
volumeMounts:
  - name: scratch
    mountPath: {{ "/" }}tmp
  {{- if .root.Values.authorities }}
  - name: authorities
    mountPath: /etc/authorities
    readOnly: true
  {{- end }}
  {{- range $number, $path := .root.Values.config.paths }}
  - name: config
    mountPath: {{ $path }}
    subPath: {{ $number | quote }}
    readOnly: true
  {{- end }}
  {{- range $name, $path := .root.Values.volumes }}
  - name: volume-{{ $name }}
    mountPath: {{ $path }}
  {{- end }}
{{- end }}

{{- define "system.resources" -}}
requests:
  cpu: {{ .cpu }}
  memory: {{ .memory }}
  {{- with .scratch }}
  ephemeral-storage: {{ . }}Mi
  {{- end }}
limits:
  memory: {{ .memory }}
  {{- /* Scratch files, and logs, of which the kubelet keeps five files of 10 MiB. */}}
  ephemeral-storage: {{ add (.scratch | default 0) 128 }}Mi
{{- end }}

{{- /* Probes ask as users do. By itself the kubelet asks for the address of the pod, which Django refuses unless it is
among its ALLOWED_HOSTS; and a system that sends plain HTTP on to HTTPS would never be asked at all, for a redirect to
another host counts as an answer (kubernetes/kubernetes, pkg/probe/http). */}}
{{- define "system.asked" -}}
httpHeaders:
  - {name: Host, value: {{ .Values.host | quote }}}
  - {name: X-Forwarded-Proto, value: https}
{{- end }}

{{- define "system.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "system.pod" -}}
serviceAccountName: {{ .Values.system }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: scratch
    emptyDir:
      sizeLimit: {{ .Values.scratch }}Mi
  {{- if .Values.authorities }}
  - name: authorities
    configMap:
      name: {{ .Values.system }}-authorities
  {{- end }}
  {{- if .Values.config.paths }}
  - name: config
    configMap:
      name: {{ .Values.system }}-config
  {{- end }}
  {{- range $name, $path := .Values.volumes }}
  - name: volume-{{ $name }}
    persistentVolumeClaim:
      claimName: {{ $name }}
  {{- end }}
{{- end }}
