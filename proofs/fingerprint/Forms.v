(** * Forms that agree off finitely many hyperplanes agree

    Linear forms, the sum of h_u x_u over u < n, and quadratic forms, the sum of D_uv x_u x_v. *)

From Coq Require Import Reals Lra Lia List Arith.
From Fingerprint Require Import Samplers Law.
Open Scope R_scope.

Definition vector := nat -> R.
Definition bilinear (n : nat) (D : nat -> vector) (x y : vector) : R :=
  sum n (fun u => sum n (fun v => D u v * x u * y v)).
Definition quadratic (n : nat) (D : nat -> vector) (x : vector) : R := bilinear n D x x.

(** Of the coordinates, only u. *)
Definition pulse (u : nat) : vector := fun v => if Nat.eq_dec u v then 1 else 0.
(** x + t e. *)
Definition along (x e : vector) (t : R) : vector := fun u => x u + t * e u.
Definition multiple (a : R) (x : vector) : vector := fun u => a * x u.

Definition nonzero (n : nat) (h : vector) : Prop := exists u, (u < n)%nat /\ h u <> 0.
Definition symmetric (n : nat) (D : nat -> vector) : Prop :=
  forall u v, (u < n)%nat -> (v < n)%nat -> D u v = D v u.
(** x lies on none of the hyperplanes [dot n h x = 0]. *)
Definition off (n : nat) (hs : list vector) (x : vector) : Prop := forall h, In h hs -> dot n h x <> 0.

Lemma dot_pulse n h u : (u < n)%nat -> dot n h (pulse u) = h u.
Proof.
  intros small. unfold dot, pulse. rewrite (sum_only n _ u small).
  - destruct (Nat.eq_dec u u); [ring | congruence].
  - intros v _ other. destruct (Nat.eq_dec u v); [congruence | ring].
Qed.

Lemma dot_along n h x e t : dot n h (along x e t) = dot n h x + t * dot n h e.
Proof. unfold dot, along. rewrite <- sum_scal, <- sum_plus. apply sum_ext. intros. ring. Qed.

Lemma dot_multiple n h a x : dot n h (multiple a x) = a * dot n h x.
Proof. unfold dot, multiple. rewrite <- sum_scal. apply sum_ext. intros. ring. Qed.

Lemma bilinear_dot n D x y : bilinear n D x y = dot n (fun u => dot n (D u) y) x.
Proof.
  apply sum_ext. intros u _. unfold dot. rewrite Rmult_comm, <- sum_scal. apply sum_ext. intros. ring.
Qed.

Lemma bilinear_pulse n D u v : (u < n)%nat -> (v < n)%nat -> bilinear n D (pulse u) (pulse v) = D u v.
Proof. intros. rewrite bilinear_dot, !dot_pulse; trivial. Qed.

Lemma bilinear_swap n D x y : bilinear n D x y = bilinear n (fun u v => D v u) y x.
Proof.
  unfold bilinear. rewrite sum_swap. apply sum_ext. intros v _. apply sum_ext. intros. ring.
Qed.

Lemma bilinear_along n D x e t y : bilinear n D (along x e t) y = bilinear n D x y + t * bilinear n D e y.
Proof. rewrite !bilinear_dot. apply dot_along. Qed.

Lemma quadratic_along n D x e t :
  quadratic n D (along x e t)
  = quadratic n D x + (bilinear n D x e + bilinear n D e x) * t + quadratic n D e * (t * t).
Proof.
  unfold quadratic. rewrite bilinear_along, (bilinear_swap n D x), (bilinear_swap n D e), !bilinear_along,
    <- !(bilinear_swap n D). ring.
Qed.

Lemma quadratic_multiple n D a x : quadratic n D (multiple a x) = a * a * quadratic n D x.
Proof.
  unfold quadratic, bilinear, multiple. rewrite <- sum_scal. apply sum_ext. intros u _.
  rewrite <- sum_scal. apply sum_ext. intros. ring.
Qed.

(** ** Off the hyperplanes *)

(** There is room in every direction. *)
Lemma off_is_open n hs x e :
  off n hs x -> exists d, 0 < d /\ forall t, Rabs t <= d -> off n hs (along x e t).
Proof.
  induction hs as [| h hs IH]; intros outside; [exists 1; split; [lra | intros t _ h []] |].
  destruct IH as (d & positive & room); [intros l among; apply outside; right; exact among |].
  set (a := dot n h x). set (b := dot n h e).
  assert (0 < Rabs a) by (apply Rabs_pos_lt, outside; left; reflexivity).
  assert (0 <= Rabs b) by apply Rabs_pos. set (r := Rabs a / (Rabs b + 1)).
  assert (0 < r) by (apply Rdiv_lt_0_compat; lra).
  exists (Rmin d r). split; [apply Rmin_pos; assumption |]. intros t near l [<- | among].
  - rewrite dot_along. fold a b. intros zero.
    assert (Rabs t * Rabs b = Rabs a) as sizes by (rewrite <- Rabs_mult, <- (Rabs_Ropp a); f_equal; lra).
    assert (Rabs t * (Rabs b + 1) <= r * (Rabs b + 1)) as bound
      by (apply Rmult_le_compat_r; [lra | exact (Rle_trans _ _ _ near (Rmin_r d r))]).
    replace (r * (Rabs b + 1)) with (Rabs a) in bound by (unfold r; field; lra).
    assert (Rabs t = 0) as none by (pose proof (Rabs_pos t); lra). rewrite none in sizes. lra.
  - exact (room t (Rle_trans _ _ _ near (Rmin_l d r)) l among).
Qed.

(** One hyperplane after the other: a point on it is approached along a line that leaves it, and a polynomial
    of degree two that vanishes at d, -d and d/2 vanishes at 0. *)
Lemma vanishes n hs (G : vector -> R) :
  (forall h, In h hs -> nonzero n h) ->
  (forall x e, exists a b, forall t, G (along x e t) = G x + b * t + a * (t * t)) ->
  (forall x, off n hs x -> G x = 0) -> forall x, G x = 0.
Proof.
  intros proper lines. induction hs as [| h hs IH]; intros zero; [intros x; apply zero; intros h [] |].
  apply IH; [intros l among; apply proper; right; exact among |].
  intros x outside. destruct (Req_dec (dot n h x) 0) as [on | off].
  2: { apply zero. intros l [<- | among]; [exact off | apply outside, among]. }
  destruct (proper h) as (u & small & leaves); [left; reflexivity |].
  destruct (off_is_open n hs x (pulse u) outside) as (d & positive & room).
  destruct (lines x (pulse u)) as (a & b & line).
  assert (forall t, t <> 0 -> Rabs t <= d -> G x + b * t + a * (t * t) = 0) as others.
  { intros t nonzero near. rewrite <- line. apply zero. intros l [<- | among]; [| apply room; assumption].
    rewrite dot_along, dot_pulse, on, Rplus_0_l by exact small.
    apply Rmult_integral_contrapositive. tauto. }
  assert (G x + b * d + a * (d * d) = 0) by (apply others; [| rewrite Rabs_pos_eq]; lra).
  assert (G x + b * - d + a * (- d * - d) = 0) by (apply others; [| rewrite Rabs_Ropp, Rabs_pos_eq]; lra).
  assert (G x + b * (d / 2) + a * (d / 2 * (d / 2)) = 0) by (apply others; [| rewrite Rabs_pos_eq]; lra).
  lra.
Qed.

(** Forms are homogeneous: it is enough that they agree at a multiple of each point. *)
Lemma linear_determined n hs h h' :
  (forall l, In l hs -> nonzero n l) ->
  (forall x, off n hs x -> exists a, a <> 0 /\ dot n h (multiple a x) = dot n h' (multiple a x)) ->
  forall u, (u < n)%nat -> h u = h' u.
Proof.
  intros proper agree u small. assert (forall x, dot n h x - dot n h' x = 0) as zero.
  { apply (vanishes n hs); [exact proper | |].
    - intros x e. exists 0, (dot n h e - dot n h' e). intros t. rewrite !dot_along. ring.
    - intros x outside. destruct (agree x outside) as (a & nonzero & same). rewrite !dot_multiple in same.
      apply Rmult_eq_reg_l in same; [lra | exact nonzero]. }
  specialize (zero (pulse u)). rewrite !dot_pulse in zero by exact small. lra.
Qed.

Lemma quadratic_determined n hs D D' :
  (forall l, In l hs -> nonzero n l) -> symmetric n D -> symmetric n D' ->
  (forall x, off n hs x ->
    exists a, a <> 0 /\ quadratic n D (multiple a x) = quadratic n D' (multiple a x)) ->
  forall u v, (u < n)%nat -> (v < n)%nat -> D u v = D' u v.
Proof.
  intros proper swaps swaps' agree u v small small'.
  assert (forall x, quadratic n D x - quadratic n D' x = 0) as zero.
  { apply (vanishes n hs); [exact proper | |].
    - intros x e. exists (quadratic n D e - quadratic n D' e).
      exists (bilinear n D x e + bilinear n D e x - (bilinear n D' x e + bilinear n D' e x)).
      intros t. rewrite !quadratic_along. ring.
    - intros x outside. destruct (agree x outside) as (a & nonzero & same).
      rewrite !quadratic_multiple in same.
      apply Rmult_eq_reg_l in same; [lra | apply Rmult_integral_contrapositive; tauto]. }
  pose proof (zero (pulse u)) as one. pose proof (zero (pulse v)) as other.
  pose proof (zero (along (pulse u) (pulse v) 1)) as both. rewrite !quadratic_along in both.
  unfold quadratic in *. rewrite !bilinear_pulse in * by assumption.
  rewrite (swaps v u), (swaps' v u) in both by assumption. lra.
Qed.
